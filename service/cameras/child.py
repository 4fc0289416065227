"""The service's end of a decoder process: start it, hear it, kill it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol

from service.cameras.mailbox import Mailbox, Taken
from service.cameras.orders import Fault, Order

Stage = Literal["starting", "opening", "playing"]

_ROOT: Final = Path(__file__).parents[2]
_PASSED_ON: Final = ("PATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
_SETTINGS: Final = {
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    "OPENCV_LOG_LEVEL": "OFF",
    "OPENCV_IO_MAX_IMAGE_PIXELS": str(50_000_000),
    "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": "3",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


@dataclass(frozen=True, slots=True)
class Silence:
    """How long a decoder has made no progress, in seconds, and in which stage."""

    stage: Stage
    seconds: float


class Decoder(Protocol):
    """One attempt to watch a camera. It ends with a fault."""

    def poll(self, wait: float) -> Taken | Fault | None:
        """Return the newest picture that was not returned before, or why there are no more; None after `wait` s."""
        ...

    def silence(self) -> Silence:
        """Tell when it last made progress: came to the next stage, or decoded a frame."""
        ...

    @property
    def frames(self) -> int:
        """How many frames were decoded, those that were not handed out included."""
        ...

    @property
    def cpu_seconds(self) -> float:
        """Seconds of a core that it has taken."""
        ...

    def stop(self) -> None:
        """End it and free everything. Idempotent."""
        ...


class ChildDecoder:
    """A decoder process.

    Args:
        order: what it has to watch.
    """

    def __init__(self, order: Order) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._process = _started(theirs)
            except OSError:
                ours.close()
                raise
        self._link = ours
        self._mailbox: Mailbox | None = None
        self._seen = 0
        self._stage: Stage = "starting"
        self._since = time.monotonic()
        self._fault: Fault | None = None
        self._send(order)

    def poll(self, wait: float) -> Taken | Fault | None:
        """Return what is new; None after `wait` seconds."""
        deadline = time.monotonic() + wait
        while True:
            taken = self._take()
            if taken or self._fault:
                return taken or self._fault
            left = deadline - time.monotonic()
            if not self._listen(max(0.0, left)) and left <= 0:
                return None

    def silence(self) -> Silence:
        """Tell when it last made progress."""
        last = max(self._since, self._mailbox.heard) if self._mailbox else self._since
        return Silence(self._stage, time.monotonic() - last)

    @property
    def frames(self) -> int:
        """How many frames were decoded."""
        return self._mailbox.grabbed if self._mailbox else 0

    @property
    def cpu_seconds(self) -> float:
        """Seconds of a core that the process has taken; 0 once it is gone."""
        try:
            behind_name = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(behind_name[11]) + int(behind_name[12])) / os.sysconf("SC_CLK_TCK")  # in user mode, in the kernel

    def stop(self) -> None:
        """Kill the process and free its pictures."""
        self._link.close()
        self._process.kill()
        self._process.wait()
        if self._mailbox:
            self._mailbox.close()
            self._mailbox = None

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def _send(self, order: Order) -> None:
        with contextlib.suppress(OSError):  # it is dead already: listening will tell
            self._link.sendall(order.encoded())

    def _take(self) -> Taken | None:
        if self._mailbox is None:
            return None
        taken = self._mailbox.take(self._seen)
        if taken:
            self._seen = taken.sequence
        return taken

    def _listen(self, wait: float) -> bool:
        """Wait for the bell or a message; return whether there was one."""
        poller = select.poll()
        poller.register(self._link, select.POLLIN)
        if self._mailbox:
            poller.register(self._mailbox.bell, select.POLLIN)
        ready = [descriptor for descriptor, _ in poller.poll(int(wait * 1000) + 1 if wait else 0)]
        if self._mailbox and self._mailbox.bell in ready:
            self._mailbox.hush()
        if self._link.fileno() in ready:
            self._receive()
        return bool(ready)

    def _receive(self) -> None:
        try:
            line, descriptors, _, _ = socket.recv_fds(self._link, 65_536, 2)
        except OSError:
            line, descriptors = b"", []
        if not line:
            self._fault = Fault("DECODER_CRASHED", self._death())
            return
        message = json.loads(line)
        if message["kind"] == "fault":
            self._fault = Fault(message["code"], message["detail"])
        elif message["kind"] == "started":
            self._progress("opening")
        else:
            self._progress("playing")
            if self._mailbox:
                self._mailbox.close()
            memory, bell = descriptors
            self._mailbox, self._seen = Mailbox(memory, bell, message["width"], message["height"]), 0

    def _progress(self, stage: Stage) -> None:
        self._stage, self._since = stage, time.monotonic()

    def _death(self) -> str:
        try:
            code = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            return "The decoder process closed its connection."
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        return f"The decoder process {how}."


def _started(link: socket.socket) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own module, a number for its argument
        [sys.executable, "-P", "-m", "service.cameras.decoder", str(link.fileno())],
        env=_environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[link.fileno()],
        process_group=0,  # Ctrl-C in a terminal is for the service, which ends its decoders itself
    )


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Return a decoder's environment: what it needs and nothing else, since ours may hold passwords."""
    paths = [str(_ROOT), *filter(None, [ours.get("PYTHONPATH")])]
    kept = {name: ours[name] for name in _PASSED_ON if name in ours}
    return {**kept, **_SETTINGS, "PYTHONPATH": os.pathsep.join(paths)}
