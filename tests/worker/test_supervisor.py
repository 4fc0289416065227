from __future__ import annotations

import itertools
import threading
import time

from structlog.testing import capture_logs

from service.worker.health import Health
from service.worker.supervisor import Supervisor, Watch
from tests.store.made import HeldClock


def dying(lives: list[float], clock: list[float], alive: threading.Event | None = None) -> Watch:
    """A watch that dies after each of `lives` seconds on the clock, and then ends well."""
    left = iter(lives)

    def watch(stop: threading.Event) -> None:
        for seconds in left:
            clock[0] += seconds
            raise RuntimeError(f"died after {seconds} s")
        if alive:
            alive.set()

    return watch


def pauses(lives: list[float]) -> list[float]:
    taken: list[float] = []
    clock = [0.0]
    supervisor = Supervisor(
        {"gate": dying(lives, clock)}, pause=lambda _, seconds: taken.append(seconds), seconds=lambda: clock[0]
    )
    with capture_logs() as lines:
        supervisor.start()
        assert supervisor.wait(20)
    assert [line["pause_s"] for line in lines] == taken
    assert all(line["exc_info"] for line in lines)
    return taken


def test_a_watch_that_dies_is_started_again_after_growing_pauses() -> None:
    assert pauses([0.1] * 8) == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_watch_that_ran_well_begins_with_short_pauses_again() -> None:
    assert pauses([0.1, 0.1, 0.1, 86_400, 0.1]) == [1, 2, 4, 1, 2]


def test_the_others_do_not_notice() -> None:
    alive, clock = threading.Event(), [0.0]
    rounds = itertools.count()

    def healthy(stop: threading.Event) -> None:
        while not stop.wait(0.001):
            next(rounds)

    held = threading.Event()
    supervisor = Supervisor(
        {"bad": dying([0.1], clock), "worse": dying([0.1] * 3, clock, alive), "good": healthy},
        pause=lambda stop, _: held.wait(0.001),
        seconds=lambda: clock[0],
    )
    with capture_logs():
        supervisor.start()
        assert alive.wait(20)
        before = next(rounds)
        while next(rounds) <= before + 1:
            held.wait(0.001)
        assert not supervisor.wait(0)
        assert supervisor.stop(20)


def test_a_library_that_leaves_the_process_ends_no_watch() -> None:
    lives = iter([True, False])

    def watch(stop: threading.Event) -> None:
        if next(lives):
            raise SystemExit(1)

    died: list[str] = []
    supervisor = Supervisor({"gate": watch}, died=died.append, pause=lambda _, __: None)
    with capture_logs() as lines:
        supervisor.start()
        assert supervisor.wait(20)
    assert died == ["gate"]
    assert [line["event"] for line in lines] == ["watch.died"]


def test_a_pause_ends_when_it_is_told_to_stop() -> None:
    died = threading.Event()

    def watch(stop: threading.Event) -> None:
        died.set()
        raise RuntimeError("no camera")

    supervisor = Supervisor({"gate": watch})
    with capture_logs():
        supervisor.start()
        assert died.wait(20)
        assert supervisor.stop(20)


def test_watches_that_do_not_stop_are_waited_for_once_not_each() -> None:
    release = threading.Event()
    supervisor = Supervisor({f"c{number}": lambda _: release.wait(20) and None for number in range(20)})
    supervisor.start()
    began = time.monotonic()
    with capture_logs() as lines:
        assert not supervisor.stop(0.2)
    assert time.monotonic() - began < 2
    assert len(lines[0]["threads"]) == 20
    release.set()
    assert supervisor.wait(20)


def steady(log: list[str], name: str) -> tuple[Watch, threading.Event]:
    """A watch that runs until it is told to stop, and notes both."""
    runs = threading.Event()

    def watch(stop: threading.Event) -> None:
        log.append(f"{name} begins")
        runs.set()
        stop.wait(20)
        log.append(f"{name} ends")

    return watch, runs


def test_a_changed_camera_is_watched_anew_once_the_watch_before_has_stopped_and_no_other_notices() -> None:
    log: list[str] = []
    (gate, gate_runs), (dock, dock_runs), (changed, changed_runs) = (
        steady(log, name) for name in ("gate", "dock", "changed gate")
    )
    supervisor = Supervisor({"gate": gate, "dock": dock})
    supervisor.start()
    assert gate_runs.wait(20)
    assert dock_runs.wait(20)
    supervisor.take("gate", changed)
    assert changed_runs.wait(20)
    assert [line for line in log if "gate" in line] == ["gate begins", "gate ends", "changed gate begins"]
    assert "dock ends" not in log
    assert supervisor.stop(20)
    assert sorted(log[-2:]) == ["changed gate ends", "dock ends"]


def test_a_camera_can_be_taken_up_and_let_go_while_others_are_watched() -> None:
    log: list[str] = []
    (gate, gate_runs), (dock, dock_runs) = (steady(log, name) for name in ("gate", "dock"))
    supervisor = Supervisor({"gate": gate})
    supervisor.start()
    assert gate_runs.wait(20)
    supervisor.take("dock", dock)
    assert dock_runs.wait(20)
    assert supervisor.drop("gate", 20)
    assert supervisor.drop("nobody", 0)
    assert log == ["gate begins", "dock begins", "gate ends"]
    assert not supervisor.wait(0)
    assert supervisor.stop(20)
    supervisor.take("late", dock)
    assert supervisor.wait(0)


def test_a_changed_camera_whose_old_watch_does_not_stop_is_offline_until_it_has() -> None:
    health, (release, begun, told) = Health(["gate"], HeldClock(0)), (threading.Event() for _ in range(3))

    def stuck(camera: str) -> None:
        health.stuck(camera)
        told.set()

    supervisor = Supervisor({"gate": lambda _: release.wait(20) and None}, stuck=stuck, stops=0.01)
    with capture_logs() as lines:
        supervisor.start()
        supervisor.take("gate", lambda _: begun.set())
        assert told.wait(20)
    (report,) = health.reports()
    assert (report.state.status, begun.is_set()) == ("offline", False)
    assert "does not stop" in report.state.detail
    assert [(line["event"], line["threads"]) for line in lines] == [("watch.does_not_stop", ["watch-gate"])]
    release.set()
    assert begun.wait(20)


def test_a_watch_that_does_not_stop_is_told_and_followed_only_when_it_has() -> None:
    release, begun = threading.Event(), threading.Event()
    supervisor = Supervisor({"gate": lambda _: release.wait(20) and None})
    supervisor.start()
    supervisor.take("gate", lambda _: begun.set())
    assert not begun.is_set()
    release.set()
    assert begun.wait(20)
    held = threading.Event()
    supervisor.take("dock", lambda _: held.wait(20) and None)
    with capture_logs() as lines:
        assert not supervisor.drop("dock", 0.01)
    assert lines[0]["threads"] == ["watch-dock"]
    held.set()


def test_a_camera_that_was_let_go_and_is_taken_up_again_waits_for_a_watch_that_hangs() -> None:
    log: list[str] = []
    hangs, runs = threading.Event(), threading.Event()

    def hanging(_: threading.Event) -> None:
        runs.set()
        hangs.wait(20)
        log.append("old ends")

    again, again_runs = steady(log, "new")
    told: list[str] = []
    supervisor = Supervisor({"gate": hanging}, stuck=told.append, stops=0.0)
    supervisor.start()
    assert runs.wait(20)
    with capture_logs():
        assert not supervisor.drop("gate", 0.0)
        supervisor.take("gate", again)
        assert not again_runs.wait(0.1)
        hangs.set()
        assert again_runs.wait(20)
        assert supervisor.stop(20)
    assert log == ["old ends", "new begins", "new ends"]
    assert told == ["gate"]
