"""Clips of alerts: which seconds they show, that nobody waits for them, and what is noted when there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from structlog.testing import capture_logs

from service.pictures.still import jpeg
from service.ports import StoreUnavailable
from service.safety.moment import Moment
from service.safety.site import Requirement, Scene, Zone
from service.worker import clips, film_writer
from service.worker.clips import Clips
from service.worker.film_writer import FULL, GIVE_UP, MOST, NOTHING, RETRY, STOPPED, UNKNOWN, FilmWriter, Job
from service.worker.ring import Shot
from service.worker.witness import Witness
from tests.safety.films import worker
from tests.safety.scenes import Row
from tests.store.made import START_MS, HeldClock, alert, fired
from tests.worker.plays import Play
from tests.worker.stores import Noting

SMALL = jpeg(np.full((32, 48, 3), 90, np.uint8))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Films of few pixels are written fast."""
    monkeypatch.setattr(clips, "LONGEST_SIDE", 200)


def bare(_: float) -> list[Row]:
    return worker(helmet="no-helmet")


def witness(store: Noting, *, clock: HeldClock | None = None) -> tuple[Witness, FilmWriter]:
    writer = FilmWriter(store, clock or HeldClock(START_MS))
    return Witness(Clips("gate", writer)), writer


def written(writer: FilmWriter) -> None:
    while writer.step() == 0.0:
        pass


def frames(mp4: bytes, folder: Path) -> list[tuple[float, np.ndarray]]:
    path = folder / "clip.mp4"
    path.write_bytes(mp4)
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        return [(frame.time, frame.to_ndarray(format="bgr24")) for frame in film.decode(stream)]


def job(number: int, shots: int = 3, size: int = 0) -> Job:
    pictures = tuple(Shot(Moment(0.2 * k, 0), bytes(size) or SMALL) for k in range(shots))
    return Job("gate", (alert(number).id,), pictures)


def promised(*numbers: int) -> Noting:
    store = Noting()
    for number in numbers:
        store.record([fired(alert(number))], [], [], [alert(number).id])
    return store


def test_a_clip_is_five_seconds_before_and_after_at_the_frames_own_times(tmp_path: Path) -> None:
    store = Noting()
    play = Play(lambda film: bare(film) if film > 8 else worker(), store, shade=lambda film: 40 + 5 * int(film))
    eyes, writer = witness(store)
    play.witness = eyes
    play.run(play.frames(0, 20))
    (change,) = [one for one in store.changes if one.kind == "fired"]
    at, key = change.at.seconds, (change.alert.id, "clip")
    assert store.gone[key] == "pending"
    written(writer)
    assert key not in store.gone
    shown = frames(store.stills[key], tmp_path)
    times = [time for time, _ in shown]
    assert times == pytest.approx([0.2 * k for k in range(len(times))], abs=0.002)
    assert times[-1] == pytest.approx(10.0, abs=0.201)
    assert shown[0][1].shape == (160, 200, 3)  # of 1000 x 800
    shade = 40 + 5 * int(at - 5)
    assert float(np.median(shown[0][1])) == pytest.approx(shade, abs=6)
    assert store.stills[key].index(b"moov") < store.stills[key].index(b"mdat")


def test_alerts_of_one_frame_share_a_film_and_have_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    real = film_writer.Film.add
    monkeypatch.setattr(film_writer.Film, "add", lambda *args: (made.append(1), real(*args))[1])
    store = promised(1, 2)
    writer = FilmWriter(store, HeldClock(START_MS))
    writer.put(Job("gate", (alert(1).id, alert(2).id), job(1).shots))
    written(writer)
    assert store.stills[alert(1).id, "clip"] == store.stills[alert(2).id, "clip"]
    assert len(made) == 3


@pytest.mark.parametrize("ends", ["silence", "end"])
def test_a_camera_that_is_lost_or_stopped_leaves_what_there_is(ends: str, tmp_path: Path) -> None:
    store = Noting()
    play = Play(bare, store)
    play.witness, writer = witness(store)
    play.run(play.frames(0, 4), 10 * [None] if ends == "silence" else [])
    written(writer)
    (mp4,) = (mp4 for (_, kind), mp4 in store.stills.items() if kind == "clip")
    assert frames(mp4, tmp_path)[-1][0] == pytest.approx(3.8, abs=0.01)


def test_a_camera_without_clips_promises_none() -> None:
    store = Noting()
    play = Play(bare, store)
    play.run(play.frames(0, 4))
    assert store.told() == ["alert.fired"]
    assert store.gone == {}


def test_what_a_zone_ignores_is_black_and_faces_are_gone(tmp_path: Path) -> None:
    corner = ((0.8, 0.0), (1.0, 0.0), (1.0, 0.5), (0.8, 0.5))
    whole = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    zones = (
        Zone(id="yard", polygon=whole, require=(Requirement(equipment="helmet"),)),
        Zone(id="flat", polygon=corner, ignore=True),
    )
    store = Noting()
    play = Play(bare, store, scene=Scene(camera="gate", zones=zones), shade=lambda _: 200)
    play.witness, writer = witness(store)
    play.run(play.frames(0, 4))
    written(writer)
    (mp4,) = (mp4 for (_, kind), mp4 in store.stills.items() if kind == "clip")
    for _, image in frames(mp4, tmp_path):
        assert image[:70, 170:].max() <= 20
        assert image[-20:, -20:].min() >= 180


def test_too_much_that_waits_is_dropped_with_the_reason() -> None:
    numbers = range(MOST + 2)
    store = promised(*numbers)
    writer = FilmWriter(store, HeldClock(START_MS))
    with capture_logs() as lines:
        for number in numbers:
            writer.put(job(number))
        large = job(MOST + 1, shots=2, size=40 * 2**20)
        writer.put(large)
        writer.put(Job("gate", (alert(0).id,), ()))
    assert [line["why"] for line in lines] == [FULL, FULL, FULL, NOTHING]
    writer.step()
    assert store.absent == {alert(0).id: NOTHING, alert(MOST).id: FULL, alert(MOST + 1).id: FULL}


def test_a_store_that_is_away_is_asked_again_and_given_up_at_last() -> None:
    clock, store = HeldClock(START_MS), Noting()
    writer = FilmWriter(store, clock)
    for number in (1, 2):
        writer.put(job(number))
    assert writer.step() == writer.step() == 0.0
    assert writer.step() == pytest.approx(RETRY)
    store.record([fired(alert(1))], [], [], [alert(1).id])  # it was told late
    clock.sleep(RETRY)
    written(writer)
    assert (alert(1).id, "clip") in store.stills
    clock.sleep(GIVE_UP)
    with capture_logs() as lines:
        written(writer)
    assert [line["why"] for line in lines] == [UNKNOWN]


def test_what_can_not_be_encoded_costs_no_other() -> None:
    store = promised(1, 2)
    writer = FilmWriter(store, HeldClock(START_MS))
    writer.put(Job("gate", (alert(1).id,), (Shot(Moment(0, 0), b"no picture"),)))
    writer.put(job(2))
    written(writer)
    assert store.gone[alert(1).id, "clip"] == "not_written"
    assert (alert(2).id, "clip") in store.stills


def test_at_the_end_what_waits_is_written_and_the_rest_is_noted() -> None:
    store = promised(1, 2)
    writer = FilmWriter(store, HeldClock(START_MS))
    writer.start()
    writer.put(job(1))
    writer.close(30)
    assert (alert(1).id, "clip") in store.stills
    idle = FilmWriter(store, HeldClock(START_MS))
    idle.put(job(2))
    idle.close(0)
    assert store.absent == {alert(2).id: STOPPED}


class Away(Noting):
    """A store that takes half a second to say that it can't."""

    def __init__(self, clock: HeldClock) -> None:
        super().__init__()
        self.clock = clock
        self.asked: list[str] = []

    def no_clip(self, alert: str, why: str) -> None:
        self.asked.append(alert)
        self.clock.sleep(0.5)
        raise StoreUnavailable("connection refused")


def test_at_the_end_a_store_that_is_away_is_asked_for_the_time_that_is_left() -> None:
    clock = HeldClock(START_MS)
    store = Away(clock)
    writer = FilmWriter(store, clock)
    for number in range(30):
        writer.put(job(number))
    writer.close(2.0)
    assert len(store.asked) == 4
    writer.step()
    assert len(store.asked) == 4, "it is stopping: nobody waits for more"


def test_a_store_that_is_away_does_not_hold_up_the_next_clip_and_all_are_asked_for_in_turn() -> None:
    clock = HeldClock(START_MS)
    store = Away(clock)
    writer = FilmWriter(store, clock)
    for number in range(5):
        writer.put(Job("gate", (alert(number).id,), ()))
    for _ in range(3):
        writer.step()
    assert store.asked == [alert(number).id for number in (0, 1, 2, 3, 4, 0)]


def test_a_store_that_fails_at_the_end_keeps_nobody() -> None:
    class Gone(Noting):
        def keep_clip(self, alert: str, write: Callable[[Path], object]) -> None:
            raise StoreUnavailable("closed")

        def no_clip(self, alert: str, why: str) -> None:
            raise StoreUnavailable("closed")

    writer = FilmWriter(Gone(), HeldClock(START_MS))
    writer.put(job(1))
    writer.start()
    writer.close(30)
    assert not writer._thread.is_alive()
