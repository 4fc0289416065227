"""The pictures of an alert: whole, of the clearest moment, and without what nobody may see."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from service.ports import Image
from service.safety.site import Requirement, Scene, Zone
from tests.safety.films import worker
from tests.safety.scenes import Row
from tests.worker.plays import HEIGHT, WIDTH, Play
from tests.worker.stores import Noting

WHOLE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
CORNER = ((0.8, 0.0), (1.0, 0.0), (1.0, 0.5), (0.8, 0.5))


def decoded(store: Noting, kind: str) -> Image:
    (jpeg,) = (jpeg for (_, still), jpeg in store.stills.items() if still == kind)
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def test_stills_are_pictures_of_the_frame_and_of_the_person() -> None:
    store = Noting()
    play = Play(lambda _: worker(helmet="no-helmet"), store)
    play.run(play.frames(0, 4))
    annotated, clean, crop = (decoded(store, kind) for kind in ("annotated", "clean", "crop"))
    assert annotated.shape == clean.shape == (HEIGHT, WIDTH, 3)
    assert np.ptp(clean) <= 4
    assert np.ptp(annotated) > 100
    assert crop.shape == (390, 130, 3)  # the box with 15 % around it


def test_the_clearest_moment_is_shown_and_not_the_last() -> None:
    def look(film: float) -> list[Row]:
        sure = 0.95 if abs(film - 1.0) < 0.05 else 0.5
        person, head, torso = worker(helmet="no-helmet", confidence=0.8)
        return [person, (head[0], sure, head[2]), torso]

    store = Noting()
    play = Play(look, store, shade=lambda film: 200 if abs(film - 1.0) < 0.05 else 40)
    play.run(play.frames(0, 6))
    assert store.told() == ["alert.fired"]
    assert float(np.median(decoded(store, "clean"))) == pytest.approx(200, abs=3)


def test_a_moment_at_which_it_was_worn_is_never_shown() -> None:
    """The clearest frame of an earlier episode does not stand for this one."""

    def look(film: float) -> list[Row]:
        bare = film < 5 or film >= 20
        person, head, torso = worker(helmet="no-helmet" if bare else "helmet")
        return [person, (head[0], 0.95 if film < 5 else 0.6, head[2]), torso]

    store = Noting()
    play = Play(look, store, shade=lambda film: 40 if film < 5 else 120 if film < 20 else 200)
    play.run(play.frames(0, 30))
    assert store.told() == ["alert.fired", "alert.resolved", "alert.fired"]
    second = store.changes[-1].alert.id
    jpeg = store.stills[second, "clean"]
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert float(np.median(image)) == pytest.approx(200, abs=3)


@pytest.mark.parametrize(
    ("look", "require"),
    [
        (lambda _: worker(helmet="no-helmet"), Requirement(equipment="helmet")),
        (lambda _: worker(vest=None), Requirement(equipment="vest", absent_after=2.0)),
    ],
    ids=["seen missing", "absence rule"],
)
def test_what_a_zone_ignores_is_black_for_the_detector_and_in_every_still(look: object, require: Requirement) -> None:
    zones = (Zone(id="yard", polygon=WHOLE, require=(require,)), Zone(id="flat", polygon=CORNER, ignore=True))
    store = Noting()
    play = Play(look, store, scene=Scene(camera="gate", zones=zones), shade=lambda _: 200)  # type: ignore[arg-type]
    play.run(play.frames(0, 6))
    assert store.told() == ["alert.fired"]
    hidden = np.s_[: HEIGHT // 2 - 4, WIDTH * 8 // 10 + 4 :]
    for image in (*play.seen, decoded(store, "annotated"), decoded(store, "clean")):
        assert image[hidden].max() <= 4
        assert image[-100:, -100:].min() >= 190


def test_few_frames_are_held() -> None:
    """Twenty people without helmets: as many frames as are kept at most, and every alert still has its pictures."""

    def look(_: float) -> list[Row]:
        return [row for k in range(20) for row in worker(x=45.0 * k, y=100.0 + 10 * (k % 2), helmet="no-helmet")]

    store = Noting()
    play = Play(look, store)
    play.run(play.frames(0, 4))
    fired = {change.alert.id for change in store.changes}
    assert len(fired) >= 15
    assert set(store.stills) == {(alert, kind) for alert in fired for kind in ("annotated", "clean", "crop")}
