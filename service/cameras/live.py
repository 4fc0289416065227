"""A live camera: watched by a decoder that is replaced whenever it fails, for as long as it takes."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from service.cameras.child import Decoder, Silence
from service.cameras.mailbox import Taken
from service.cameras.orders import Fault
from service.cameras.pace import delays
from service.ports import CameraState, CameraStatus, Clock, Frame
from service.safety.moment import Moment

AUTH_PAUSE: Final = 60.0
_POLL: Final = 0.5


@dataclass(frozen=True, slots=True)
class Spent:
    """What a decoder has spent since it began: seconds of a core, for so many frames."""

    seconds: float
    frames: int


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, in seconds, a camera may take before its decoder is ended.

    Attributes:
        starting: from the start of the process until it runs.
        opening: from there to the first picture.
        playing: between two frames.
        steady: after so long without a fault the back-off begins anew.
    """

    starting: float = 30.0
    opening: float = 12.0
    playing: float = 8.0
    steady: float = 10.0


class LiveSource:
    """Frames of a live camera; see `ports.FrameSource`.

    An outage is one ``offline`` state, followed by another only when the reason changes, and ended by ``live``.

    Args:
        launch: starts a decoder.
        clock: the time.
        patience: how long things may take.
        jitter: returns numbers in [0, 1).
    """

    def __init__(
        self,
        launch: Callable[[], Decoder],
        clock: Clock,
        *,
        patience: Patience = Patience(),
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._launch = launch
        self._clock = clock
        self._patience = patience
        self._jitter = jitter
        self._delays = delays(jitter)
        self._decoder: Decoder | None = None
        self._queue: deque[Frame | CameraState] = deque()
        self._state: CameraState | None = None
        self._retry_at = float("-inf")
        self._live_since: float | None = None
        self._frames_before = 0
        self._closed = False

    def read(self, wait: float) -> Frame | CameraState | None:
        """Return the newest frame or a change of state; None after `wait` seconds."""
        deadline = self._clock.now().seconds + wait
        while not self._closed:
            if self._queue:
                return self._queue.popleft()
            left = deadline - self._clock.now().seconds
            if self._decoder is None:
                self._reopen(max(0.0, left))
            else:
                self._follow(self._decoder, max(0.0, left))
            if not self._queue and left <= 0:
                return None
        return None

    def close(self) -> None:
        """Kill the decoder and free everything. Idempotent."""
        self._closed = True
        self._queue.clear()
        if self._decoder:
            self._decoder.stop()
            self._decoder = None

    @property
    def spent(self) -> Spent | None:
        """What the decoder that runs has spent until now; None while none runs."""
        return Spent(self._decoder.cpu_seconds, self._decoder.frames) if self._decoder else None

    def _reopen(self, left: float) -> None:
        now = self._clock.now()
        if now.seconds < self._retry_at:
            if left > 0:
                self._clock.sleep(min(left, self._retry_at - now.seconds))
            return
        if self._state is None:
            self._change("connecting", now)
        try:
            self._decoder = self._launch()
        except OSError as error:  # no processes, descriptors or memory left: that may pass
            self._fail(Fault("DECODER_CRASHED", f"The decoder can't be started: {error.strerror}."))

    def _follow(self, decoder: Decoder, left: float) -> None:
        heard = decoder.poll(min(left, _POLL))
        if isinstance(heard, Taken):
            self._show(heard)
        elif fault := heard or self._overdue(decoder.silence()):
            self._fail(fault)

    def _show(self, taken: Taken) -> None:
        now = self._clock.now()
        if self._live_since is None:
            self._live_since = now.seconds
            self._change("live", now)
        self._queue.append(Frame(taken.image, self._arrival(now, taken), self._frames_before + taken.number))

    def _arrival(self, now: Moment, taken: Taken) -> Moment:
        return Moment(now.seconds - taken.age, now.wall_ms - round(taken.age * 1000))

    def _overdue(self, silence: Silence) -> Fault | None:
        if silence.seconds <= getattr(self._patience, silence.stage):
            return None
        if silence.stage == "starting":
            return Fault("DECODER_CRASHED", "The decoder process does not start in time.")
        if silence.stage == "opening":
            return Fault("STREAM_TIMEOUT", f"No picture came within {self._patience.opening:g} seconds.")
        return Fault("STREAM_STALLED", f"The camera has sent no picture for {silence.seconds:.0f} seconds.")

    def _fail(self, fault: Fault) -> None:
        if self._decoder:
            self._frames_before += self._decoder.frames
            self._decoder.stop()
            self._decoder = None
        now = self._clock.now()
        if self._live_since is not None and now.seconds - self._live_since >= self._patience.steady:
            self._delays = delays(self._jitter)
        self._live_since = None
        delay = next(self._delays)
        if fault.code == "STREAM_AUTH_FAILED":  # cameras lock a user out after a few refused logins
            delay = AUTH_PAUSE * (1 + 0.2 * self._jitter())
        self._retry_at = now.seconds + delay
        self._change("offline", now, fault)

    def _change(self, status: CameraStatus, at: Moment, fault: Fault | None = None) -> None:
        state = CameraState(status, at, fault.code if fault else None, fault.detail if fault else "")
        if self._state is None or (self._state.status, self._state.code) != (status, state.code):
            self._queue.append(state)
        self._state = state
