"""A second look asks the closer detector about parts of the picture, and only when something is open."""

from __future__ import annotations

import numpy as np

from service.detectors.fake import FakeDetector
from service.detectors.second_look import SecondLook
from service.ports import Image
from service.safety.detections import Detections
from service.safety.wearing import sightings
from tests.safety.scenes import person_at, scene, torso_of

PICTURE: Image = np.zeros((800, 1000, 3), np.uint8)


def bare_head(image: Image) -> Detections:
    height, width = image.shape[:2]
    part = ("no-helmet", 0.8, (0.35 * width, 0.12 * height, 0.65 * width, 0.24 * height))
    return scene(part, width=width, height=height)  # type: ignore[arg-type]


def test_the_part_is_cut_out_and_its_answer_joined() -> None:
    person = person_at(400, 200)
    whole = FakeDetector(lambda _: scene(person, torso_of(person)))
    closer = FakeDetector(bare_head)
    detector = SecondLook(whole, closer, most=4)
    (sighting,) = sightings(detector.detect(PICTURE), detector.model.thresholds)
    assert closer.seen == [(131, 391)]
    assert sighting.helmet.state == "missing"
    detector.close()


def test_nothing_is_cut_out_where_nobody_is_open() -> None:
    closer = FakeDetector(bare_head)
    detector = SecondLook(FakeDetector(), closer, most=4)
    assert len(detector.detect(PICTURE)) == 0
    assert closer.seen == []
    detector.close()


def test_on_a_crowd_it_stops_at_its_limit() -> None:
    closer = FakeDetector(bare_head)
    people = [person_at(130 * index, 200) for index in range(7)]
    detector = SecondLook(FakeDetector(lambda _: scene(*people)), closer, most=3)
    detector.detect(PICTURE)
    assert len(closer.seen) == 3
    detector.close()
