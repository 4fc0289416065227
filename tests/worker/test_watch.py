"""One camera's loop on fakes: what it records, in which order, and what it does when frames or the store stay away."""

from __future__ import annotations

import json

import pytest
from structlog.testing import capture_logs

from service.cameras.address import SourceError
from service.ports import Frame
from service.worker.clock import FilmClock
from tests.safety.films import worker
from tests.safety.scenes import Row
from tests.worker.plays import Play, Played, grey
from tests.worker.stores import Call, Noting

SILENT = [None]


def bare(_: float) -> list[Row]:
    return worker(helmet="no-helmet")


def unreadable() -> Played:
    raise SourceError("SOURCE_INVALID", "yard.mp4 is no video that can be read, or it is damaged.")


def test_an_episode_is_two_records_each_whole() -> None:
    store = Noting()
    play = Play(lambda film: worker(helmet="no-helmet" if film < 10 else "helmet"), store)
    source = play.run(play.frames(0, 25))
    assert store.calls == [
        Call(["fired"], ["annotated", "clean", "crop"], ["alert.fired"]),
        Call(["resolved"], [], ["alert.resolved"]),
    ]
    fired, resolved = store.changes
    assert fired.alert.id == resolved.alert.id
    assert play.commits == [fired.at.seconds, resolved.at.seconds]
    assert fired.at.seconds <= 2 + 1
    assert source.closed
    body = json.loads(store.messages[0].payload)["data"]
    assert body["camera"] == {"id": "gate", "name": "Gate 2"}
    assert body["picture"] == {"width": 1000, "height": 800}


def test_every_frame_is_counted_and_remembered() -> None:
    store = Noting()
    play = Play(lambda _: worker(), store)
    play.run(play.frames(0, 10))
    assert len(store.remembered) == len(store.counted) == 50
    assert store.told() == []
    assert sum(sum(seconds.values()) for _, _, seconds, _ in store.counted) == pytest.approx(2 * 9.8, abs=0.5)
    assert {heights for *_, heights in store.counted} == {(300.0,)}


def test_where_open_alerts_are_is_noted_now_and_then_and_at_the_end() -> None:
    store = Noting()
    play = Play(bare, store)
    play.run(play.frames(0, 13))
    seen = [alerts[0].seen.seconds for alerts in store.touched]
    assert seen == sorted(seen)
    assert 5 <= len(seen) <= 8
    assert seen[-1] == pytest.approx(12.8)


def test_a_camera_that_comes_up_for_the_first_time_is_no_news() -> None:
    store = Noting()
    play = Play(lambda _: worker(), store)
    play.run([play.state("connecting", 0), play.state("live", 0)], play.frames(0, 2))
    assert store.told() == []


def test_lost_and_back_are_told_once_each() -> None:
    store = Noting()
    play = Play(lambda _: worker(), store)
    play.run(
        [play.state("connecting", 0), play.state("live", 0)],
        play.frames(0, 2),
        [play.state("offline", 2, "STREAM_LOST"), None, None, play.state("offline", 5, "STREAM_CONNECTION_FAILED")],
        [play.state("live", 8)],
        play.frames(8, 10),
        [play.state("offline", 10, "STREAM_STALLED"), None, play.state("live", 12)],
    )
    assert store.told() == ["camera.offline", "camera.online"] * 2
    assert json.loads(store.messages[0].payload)["data"]["code"] == "STREAM_LOST"


def test_a_camera_that_is_absent_at_the_start_is_told() -> None:
    store = Noting()
    play = Play(lambda _: worker(), store)
    play.run([play.state("connecting", 0), play.state("offline", 1, "STREAM_TIMEOUT"), None, play.state("live", 4)])
    assert store.told() == ["camera.offline", "camera.online"]


def test_while_a_camera_is_offline_open_alerts_close_as_lost_sight() -> None:
    store = Noting()
    play = Play(bare, store)
    play.run(play.frames(0, 6), [play.state("offline", 6, "STREAM_LOST")], 60 * SILENT)
    assert store.told() == ["alert.fired", "camera.offline", "alert.resolved"]
    lost = store.changes[-1]
    assert lost.kind == "lost_sight"
    assert 30 <= lost.at.since(lost.alert.seen) <= 32
    assert len(store.remembered) == 30


def test_an_alert_goes_on_over_a_short_outage() -> None:
    store = Noting()
    play = Play(bare, store)
    play.run(play.frames(0, 6), 20 * SILENT, play.frames(26, 40))
    assert store.told() == ["alert.fired"]


def test_a_violation_is_not_fired_by_silence() -> None:
    store = Noting()
    play = Play(bare, store)
    play.run(play.frames(0, 1.4), 50 * SILENT)
    assert store.told() == []


def test_nothing_fires_on_frames_that_come_too_late() -> None:
    store = Noting()
    play = Play(bare, store, late=6.0)
    play.run(play.frames(0, 20))
    assert store.told() == []
    assert (len(store.counted), store.remembered) == (100, []), "another rule would judge them as fresh"
    fresh = Play(bare, Noting(), late=4.0)
    fresh.run(fresh.frames(0, 20))
    assert fresh.store.told() == ["alert.fired"]  # type: ignore[attr-defined]


def test_a_frame_from_before_a_told_silence_is_refused_and_nothing_else_happens() -> None:
    store = Noting()
    play = Play(bare, store)
    play.run(play.frames(0, 4), 8 * SILENT, play.frames(11, 20))  # silence was told until 11.8 s
    assert store.told() == ["alert.fired"]
    assert len(store.remembered) == 20 + 40


@pytest.mark.parametrize("fps", [5, 1, 0.5])
def test_slow_cameras_are_not_taken_for_silent_ones(fps: float) -> None:
    """A read that gives nothing comes between any two frames of a camera that is slower than one a second."""
    store = Noting()
    play = Play(bare, store, fps=fps)
    gaps = [line for frame in play.frames(0, 40) for line in ([frame] if fps == 5 else [frame, None])]
    play.run(gaps)
    assert store.told() == ["alert.fired"]
    assert store.changes[0].at.seconds <= 2 + 3 / fps


def test_a_store_that_fails_for_a_while_loses_nothing() -> None:
    def look(film: float) -> list[Row]:
        return worker(helmet="no-helmet" if film % 30 < 10 else "helmet")

    healthy, failing = Noting(), Noting(broken=range(1, 200))
    for store in (healthy, failing):
        play = Play(look, store)
        play.run(play.frames(0, 70), [play.state("offline", 70, "STREAM_LOST")], 3 * SILENT)
    assert failing.refused == 199
    assert failing.calls == healthy.calls
    assert failing.messages == healthy.messages
    assert failing.stills == healthy.stills


def test_a_recording_that_ends_ends_its_open_alerts() -> None:
    store = Noting()
    play = Play(bare, store)
    source = play.run(play.frames(0, 6), [play.state("ended", 6)], play.frames(6, 10))
    assert [change.kind for change in store.changes] == ["fired", "lost_sight"]
    assert store.changes[-1].at == store.changes[-1].alert.ended == play.clock.moment(6)
    assert store.calls[-1] == Call(["lost_sight"], [], ["alert.resolved"])
    assert len(store.remembered) == 30
    assert source.closed


def test_a_recording_that_cannot_be_read_any_more_ends_its_open_alerts() -> None:
    store = Noting()
    before = Play(bare, store)
    before.run(before.frames(0, 6))
    after = Play(bare, store)
    after.clock.film = 9.0
    after.watch(unreadable)
    assert store.told() == ["alert.fired", "camera.offline", "alert.resolved"]
    assert store.open_alerts("gate") == []


def test_a_recording_that_cannot_be_read_is_an_offline_camera_and_no_crash() -> None:
    store = Noting()
    Play(bare, store).watch(unreadable)
    assert store.told() == ["camera.offline"]
    assert json.loads(store.messages[0].payload)["data"]["code"] == "SOURCE_INVALID"


def test_a_recording_is_never_late_on_its_own_clock() -> None:
    play = Play(bare, Noting())
    clock = FilmClock(play.clock.moment(0))
    lines = [Frame(grey(90), play.clock.moment(film), 1) for film in (0.0, 3600.0)]
    source = clock.by(Played(lines, play.clock))
    assert clock.now().seconds == 0
    assert [source.read(1) for _ in lines] == lines
    assert clock.now() == lines[-1].at
    clock.sleep(10)
    assert clock.now() == lines[-1].at
    source.close()


def test_who_becomes_unverified_is_logged_once() -> None:
    store = Noting()
    play = Play(lambda _: worker(helmet=None), store)
    with capture_logs() as lines:
        play.run(play.frames(0, 30))
    (told,) = [line for line in lines if line["event"] == "person.unverified"]
    assert told["camera"] == "gate"
    assert told["equipment"] == ("helmet",)
    assert store.told() == []
