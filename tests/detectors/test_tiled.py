"""Tiles cover the picture, answer in its pixels, and show everything once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from service.detectors.fake import FakeDetector
from service.detectors.tiled import Tiled, merged, tiles_of
from service.ports import Image
from service.safety.detections import Detections
from tests.safety.scenes import scene


@given(st.integers(40, 4000), st.integers(40, 4000), st.integers(2, 5))
def test_every_pixel_lies_on_a_tile_and_no_tile_off_the_picture(width: int, height: int, across: int) -> None:
    tiles = tiles_of(width, height, across)
    covered = np.zeros((height, width), np.bool_)
    for tile in tiles:
        assert 0 <= tile.x1 < tile.x2 <= width
        assert 0 <= tile.y1 < tile.y2 <= height
        covered[tile.y1 : tile.y2, tile.x1 : tile.x2] = True
    assert covered.all()


def test_one_tile_is_the_picture_itself() -> None:
    assert tiles_of(1920, 1080, 1) == []
    assert len(tiles_of(1920, 1080, 2)) == 2
    assert len(tiles_of(1080, 1920, 3)) == 6


def bright(image: Image) -> Detections:
    """See each bright rectangle's bounding box as a person, at the size at which a picture of 640 was shrunk."""
    rows = np.flatnonzero((image[:, :, 0] > 0).any(axis=1))
    columns = np.flatnonzero((image[:, :, 0] > 0).any(axis=0))
    height, width = image.shape[:2]
    if not len(rows):
        return scene(width=width, height=height, scale=640 / width)
    box = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    return scene(("person", 0.8, box), width=width, height=height, scale=640 / width)


@given(st.integers(0, 1800), st.integers(0, 900))
def test_somebody_small_is_found_once_where_they_stand_and_seen_larger(x: int, y: int) -> None:
    image = np.zeros((1080, 1920, 3), np.uint8)
    image[y : y + 120, x : x + 60] = 255
    detector = Tiled(FakeDetector(bright), across=3)
    seen = detector.detect(image)
    detector.close()
    assert seen.boxes.tolist() == [[x, y, min(x + 60, 1920), min(y + 120, 1080)]]
    assert seen.scale == np.float32(640 / 1920)


def test_who_is_larger_than_the_overlap_is_left_to_the_whole_picture() -> None:
    image = np.zeros((1080, 1920, 3), np.uint8)
    image[100:1000, 400:1500] = 255
    detector = Tiled(FakeDetector(bright), across=3)
    assert detector.detect(image).boxes.tolist() == [[400, 100, 1500, 1000]]
    detector.close()


def test_enlarging_gives_nobody_more_pixels_than_they_have() -> None:
    whole = scene(width=640, height=360)
    (tile, *_) = tiles_of(640, 360, 2)
    part = scene(("person", 0.9, (100, 100, 160, 220)), width=tile.x2, height=360, scale=1.8)
    assert merged(whole, [(tile, part)]).seen_scale.tolist() == [1.0]


def test_the_surer_look_keeps_its_scale() -> None:
    whole = scene(("person", 0.4, (100, 100, 160, 220)), width=1920, height=1080, scale=1 / 3)
    (tile, *_) = tiles_of(1920, 1080, 2)
    part = scene(("person", 0.9, (100, 100, 160, 220)), width=tile.x2, height=1080, scale=0.6)
    both = merged(whole, [(tile, part)])
    assert both.confidence.tolist() == [np.float32(0.9)]
    assert both.seen_scale.tolist() == [np.float32(0.6)]
