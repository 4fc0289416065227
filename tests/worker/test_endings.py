"""Open alerts of cameras that nobody watches any more."""

from __future__ import annotations

from structlog.testing import capture_logs

from service.events import Origin
from service.safety.site import Scene
from service.worker.endings import end_removed, end_unwatched
from tests.store.made import START_MS, HeldClock, alert, fired
from tests.worker.stores import Call, Noting


def origin(camera: str) -> Origin:
    return Origin(Scene(camera=camera))


def test_what_is_watched_goes_on_and_what_is_not_ends_in_one_record_a_camera() -> None:
    store = Noting()
    store.record([fired(alert(1)), fired(alert(2, "roof")), fired(alert(3, "roof")), fired(alert(4, "dock"))], [], [])
    store.calls.clear()
    end_unwatched(store, ["gate", "yard"], origin, HeldClock(START_MS + 60_000))
    assert store.calls == [
        Call(["lost_sight"], [], ["alert.resolved"]),
        Call(["lost_sight"] * 2, [], ["alert.resolved"] * 2),
    ]
    assert [change.alert.camera for change in store.changes[4:]] == ["dock", "roof", "roof"]
    assert {change.at.wall_ms for change in store.changes[4:]} == {START_MS + 60_000}
    assert store.cameras_with_open_alerts() == ["gate"]
    assert store.open_alerts("gate") == [alert(1)]


def test_a_store_that_cannot_be_written_is_logged_and_asked_at_the_next_start() -> None:
    store, clock = Noting(broken=range(1, 2)), HeldClock(START_MS + 60_000)
    store.record([fired(alert(1, "roof"))], [], [])
    with capture_logs() as lines:
        end_unwatched(store, [], origin, clock)
    assert [line["event"] for line in lines] == ["store.unavailable"]
    assert store.cameras_with_open_alerts() == ["roof"]
    end_unwatched(store, [], origin, clock)
    assert store.cameras_with_open_alerts() == []


def test_of_a_camera_that_is_taken_away_the_alerts_end_and_of_no_other() -> None:
    store = Noting()
    store.record([fired(alert(1)), fired(alert(2, "roof"))], [], [])
    end_removed(store, origin("roof"), HeldClock(START_MS + 60_000))
    end_removed(store, origin("dock"), HeldClock(START_MS + 60_000))
    assert store.calls[1:] == [Call(["lost_sight"], [], ["alert.resolved"])]
    assert store.cameras_with_open_alerts() == ["gate"]
