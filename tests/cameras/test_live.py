"""The states of a live camera, on a clock that moves only when somebody waits, with decoders that play a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cameras.child import Silence, Stage
from service.cameras.live import LiveSource, Patience
from service.cameras.mailbox import Taken
from service.cameras.orders import Fault
from service.ports import CameraState, Frame
from tests.cameras.clocks import HeldClock

REFUSED = Fault("STREAM_CONNECTION_FAILED", "Nothing listens.")
LOST = Fault("STREAM_LOST", "The camera ended the stream.")
AUTH = Fault("STREAM_AUTH_FAILED", "No.")


def shot(number: int, age: float = 0.0) -> Taken:
    return Taken(np.zeros((4, 6, 3), np.uint8), number, number, age)


class Scripted:
    """Plays its script; after the last line it is silent in `stage`."""

    def __init__(self, clock: HeldClock, script: Sequence[Taken | Fault | float], stage: Stage = "playing") -> None:
        self.clock, self.script, self.stage = clock, list(script), stage
        self.last = clock.seconds
        self.frames = 0
        self.stopped = 0

    def poll(self, wait: float) -> Taken | Fault | None:
        line = self.script[0] if self.script else wait
        if isinstance(line, float | int):
            step = min(wait, line)
            self.clock.seconds += step
            if self.script:
                self.script[0] = line - step
                if self.script[0] <= 1e-9:
                    self.script.pop(0)
            return None
        self.script.pop(0)
        if isinstance(line, Taken):
            self.frames, self.last = line.number, self.clock.seconds
        return line

    def silence(self) -> Silence:
        return Silence(self.stage, self.clock.seconds - self.last)

    def stop(self) -> None:
        self.stopped += 1


class Camera:
    """Launches scripted decoders one after another and remembers when."""

    def __init__(self, *scripts: Sequence[Taken | Fault | float], stage: Stage = "playing") -> None:
        self.clock = HeldClock()
        self.scripts, self.stage = list(scripts), stage
        self.launched: list[float] = []
        self.decoders: list[Scripted] = []
        self.source = LiveSource(self.launch, self.clock, jitter=lambda: 0.5)

    def launch(self) -> Scripted:
        self.launched.append(self.clock.seconds)
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        self.decoders.append(Scripted(self.clock, script, self.stage))
        return self.decoders[-1]

    def read(self, most: int, seconds: float = 1e9) -> list[Frame | CameraState]:
        end, events = self.clock.seconds + seconds, []
        while len(events) < most and self.clock.seconds < end:
            event = self.source.read(1.0)
            if event is not None:
                events.append(event)
        return events


def told(events: Sequence[Frame | CameraState]) -> list[str]:
    return [f"#{e.number}" if isinstance(e, Frame) else " ".join(filter(None, [e.status, e.code])) for e in events]


def test_a_good_camera_connects_goes_live_and_gives_frames() -> None:
    camera = Camera([1.5, shot(1), 0.2, shot(4)])
    assert told(camera.read(4)) == ["connecting", "live", "#1", "#4"]


def test_a_frame_is_stamped_with_its_arrival() -> None:
    camera = Camera([shot(1, age=0.25)])
    frame = camera.read(3)[2]
    assert frame.at.seconds == pytest.approx(999.75)
    assert frame.at.wall_ms == 999_750


def test_an_absent_camera_is_tried_again_1_2_4_5_seconds_later_and_after_a_minute_every_30() -> None:
    camera = Camera([REFUSED])
    assert told(camera.read(99, seconds=125)) == ["connecting", "offline STREAM_CONNECTION_FAILED"]
    steps = np.diff(camera.launched)
    assert steps[:15] == pytest.approx([1, 2, 4, *[5] * 10, 30, 30])


def test_an_outage_is_told_once_and_again_only_for_a_new_reason() -> None:
    camera = Camera([shot(1), LOST], [REFUSED], [REFUSED], [shot(1)])
    assert told(camera.read(7)) == [
        "connecting", "live", "#1", "offline STREAM_LOST", "offline STREAM_CONNECTION_FAILED", "live", "#2",
    ]  # fmt: skip
    assert all(decoder.stopped == 1 for decoder in camera.decoders[:-1])


def test_numbers_count_on_over_an_outage() -> None:
    camera = Camera([shot(10), LOST], [shot(3)])
    assert told(camera.read(6))[-1] == "#13"


def test_a_stream_that_dies_at_once_does_not_reset_the_back_off() -> None:
    camera = Camera([shot(1), LOST])
    camera.read(99, seconds=40)
    assert np.diff(camera.launched)[:4] == pytest.approx([1, 2, 4, 5])


def test_a_steady_stream_does() -> None:
    camera = Camera([REFUSED], [REFUSED], [shot(1), 7.0, shot(2), 7.0, LOST], [shot(1)])
    camera.read(99, seconds=30)
    assert camera.launched[3] - camera.launched[2] == pytest.approx(15.0)


def test_a_refused_login_waits_a_minute() -> None:
    camera = Camera([AUTH], [AUTH], [REFUSED], [shot(1)])
    camera.read(5)
    steps = np.diff(camera.launched)
    assert min(steps[:2]) >= 60
    assert max(steps[:2]) <= 72


faults = st.sampled_from([AUTH, REFUSED, LOST])


@given(st.lists(faults, min_size=1, max_size=12))
def test_a_refused_login_is_never_tried_again_within_a_minute(faults: list[Fault]) -> None:
    """Whatever else happens between: cameras lock users out."""
    camera = Camera(*([fault] for fault in faults), [shot(1)])
    camera.read(99, seconds=1500)
    refused = [number for number, fault in enumerate(faults) if fault == AUTH]
    for number in refused:
        assert camera.launched[number + 1] - camera.launched[number] >= 60


@pytest.mark.parametrize(
    ("stage", "script", "after", "code"),
    [
        ("starting", [], 30, "DECODER_CRASHED"),
        ("opening", [], 12, "STREAM_TIMEOUT"),
        ("playing", [shot(1)], 8, "STREAM_STALLED"),
    ],
)
def test_silence_ends_the_decoder(stage: Stage, script: list[Taken], after: float, code: str) -> None:
    camera = Camera(script, stage=stage)
    events = camera.read(2 + 2 * len(script))
    assert told(events)[-1] == f"offline {code}"
    assert after <= events[-1].at.seconds - 1000 <= after + 1.1
    assert camera.decoders[0].stopped == 1


def test_a_slow_reader_is_no_silence() -> None:
    camera = Camera([shot(1), shot(2), shot(3)])
    camera.read(3)
    camera.clock.seconds += 60
    assert told(camera.read(1)) == ["#2"]


def test_read_waits_no_longer_than_asked() -> None:
    camera = Camera([REFUSED], [60.0])
    camera.read(2)
    for wait in (0.0, 0.3, 2.0):
        before = camera.clock.seconds
        assert camera.source.read(wait) is None
        assert camera.clock.seconds - before == pytest.approx(wait)


def test_a_decoder_that_can_not_be_started_is_a_state() -> None:
    clock = HeldClock()

    def launch() -> Scripted:
        raise OSError(24, "Too many open files")

    source = LiveSource(launch, clock, jitter=lambda: 0.5)
    assert told([e for e in (source.read(1), source.read(1)) if e]) == ["connecting", "offline DECODER_CRASHED"]


@pytest.mark.parametrize("reads", range(6))
def test_close_ends_the_decoder_at_any_time_and_nothing_comes_after(reads: int) -> None:
    camera = Camera([shot(1), shot(2), LOST])
    camera.read(reads)
    camera.source.close()
    camera.source.close()
    assert camera.source.read(5.0) is None
    assert all(decoder.stopped == 1 for decoder in camera.decoders)
    launched = len(camera.launched)
    assert camera.source.read(5.0) is None
    assert len(camera.launched) == launched


def test_patience_of_a_camera_can_be_chosen() -> None:
    clock = HeldClock()
    decoder: Callable[[], Scripted] = lambda: Scripted(clock, [shot(1)])  # noqa: E731
    source = LiveSource(decoder, clock, patience=Patience(playing=2.0), jitter=lambda: 0.5)
    events = [event for event in (source.read(5) for _ in range(4)) if event]
    assert told(events)[-1] == "offline STREAM_STALLED"
    assert clock.seconds <= 1003
