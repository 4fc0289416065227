"""Is an alert lost when the disk fails under a running process, and does it go on by itself once the disk works again?

    python -m benchmarks.bad_disk [--seconds 5] [--out FILE]

Store, watch and courier (`benchmarks.core`) run in one process on a disk of 16 MB of its own (tmpfs; needs root), and
post to a receiver here. One after the other, `--seconds` each: the disk is full; writes fail with EIO; fsync fails with
EIO; the disk is read-only (opening for writing and writing fail with EROFS: a mount that is written to can't be made
read-only). The errors come from `failing_disk.c`, put before the C library (needs cc). After each the disk works again
for as long.

Prints JSON; exits with 1 when an alert that was committed, or waited in memory, is not in the store and received once
at the end, the process ended, or it did not commit again within 5 s of the disk's return.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.core import FPS, PERIOD, episode_of
from benchmarks.figures import tell
from benchmarks.kills import Inbox, deliver, receiving
from benchmarks.ledgers import compared, read, spotless
from benchmarks.processes import ROOT
from service.telemetry import configure_logging

SHIM = Path(__file__).with_name("failing_disk.c")
PROMISED = 5.0
RATE = 100
"""Frames a second of the machine's time: an episode takes 0.8 s."""
FAULTS = {
    "writes_fail": bytes((errno.EIO, 0, 0)),
    "sync_fails": bytes((0, errno.EIO, 0)),
    "read_only": bytes((errno.EROFS, 0, errno.EROFS)),
}
"""What `failing_disk.c` is told: the errors of writing, of syncing, of opening for writing."""
WORKS = bytes(3)


@dataclass
class Said:
    """What the core said: (monotonic seconds, line), and the frame that the film has come to."""

    lines: list[tuple[float, dict[str, list[str]]]] = field(default_factory=list)
    frame: int = 0

    def take(self, pipe: Iterator[str]) -> None:
        for line in pipe:
            said = json.loads(line)
            if "at" in said:
                self.frame = said["at"]
            else:
                self.lines.append((time.monotonic(), said))

    def named(self, kind: str, begins: float = 0.0, ends: float = float("inf")) -> list[str]:
        """Return the alerts that were committed, or first handed over, between two moments."""
        return [alert for at, line in self.lines if begins <= at < ends for alert in line.get(kind, ())]

    def messages(self, kind: str) -> list[str]:
        return [message for _, line in self.lines if kind in line for message in line["messages"]]

    def commits(self, since: float) -> float | None:
        return next((at - since for at, line in self.lines if at >= since and "committed" in line), None)


@dataclass(frozen=True, slots=True)
class Core:
    """The core that runs."""

    process: subprocess.Popen[str]
    said: Said
    log: Path
    orders: Path

    def order(self, orders: bytes) -> None:
        """Have the disk fail so, in place: the file is mapped."""
        with self.orders.open("r+b") as file:
            file.write(orders)

    def logged(self) -> list[dict[str, str]]:
        found = []
        for line in self.log.read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                found.append(json.loads(line))
        return found


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def running(disk: Path, port: int, secret: str, work: Path) -> Iterator[Core]:
    library, orders, log = work / "failing_disk.so", work / "orders", work / "log"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(SHIM), "-ldl"], check=True)
    orders.write_bytes(WORKS)
    shim = {"LD_PRELOAD": str(library), "FAILING_DISK": str(disk), "FAILING_DISK_ORDERS": str(orders)}
    command = [sys.executable, "-m", "benchmarks.core", str(disk / "store"), str(port), "0", str(RATE)]
    with log.open("w") as errors:
        environment = {**os.environ, **shim, "CORE_SECRET": secret}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
    said = Said()
    assert process.stdout
    reading = threading.Thread(target=said.take, args=(process.stdout,))
    reading.start()
    try:
        ends = time.monotonic() + 60
        while not said.lines and process.poll() is None and time.monotonic() < ends:
            time.sleep(0.05)
        if not said.lines:
            raise RuntimeError(f"the core does not begin: {log.read_text(encoding='utf-8')[-2000:]}")
        yield Core(process, said, log, orders)
    finally:
        process.kill()
        process.wait()
        reading.join()
        process.stdout.close()


def full(disk: Path) -> Callable[[], None]:
    """Take what is left of a disk; return what gives it back."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    return filler.unlink


def _phase(core: Core, begin: Callable[[], Callable[[], None]], seconds: float) -> dict[str, object]:
    logged = len(core.logged())
    began = time.monotonic()
    end = begin()
    time.sleep(seconds)
    ended = time.monotonic()
    end()
    mended = time.monotonic()
    time.sleep(seconds)
    lines = core.logged()[logged:]
    again = core.said.commits(mended)
    return {
        "alerts_committed_meanwhile": len(core.said.named("committed", began, ended)),
        "alerts_committed_afterwards": len(core.said.named("committed", mended)),
        "committed_again_after_s": None if again is None else round(again, 2),
        "logged": dict(Counter(line["event"] for line in lines)),
        "faults_told": sorted({line["fault"] for line in lines if "fault" in line}),
        "alive": core.process.poll() is None,
    }


def _failing(core: Core, orders: bytes) -> Callable[[], None]:
    core.order(orders)
    return lambda: core.order(WORKS)


def measure(seconds: float, work: Path) -> dict[str, object]:
    inbox = Inbox()
    with receiving(inbox) as (port, secret), small_disk(16) as disk:
        with running(disk, port, secret, work) as core:
            time.sleep(seconds)
            phases = {"full": _phase(core, lambda: full(disk), seconds)}
            for name, orders in FAULTS.items():
                phases[name] = _phase(core, partial(_failing, core, orders), seconds)
            said = core.said
        deliver(disk / "store", port, secret)
        kept = read(disk / "store")
    whole = int(said.frame / FPS // PERIOD)  # the film's episodes that are over; what followed may have been on its way
    found = compared(kept, said.named("committed"), said.messages("committed"), inbox.times)
    late = [phase["committed_again_after_s"] for phase in phases.values()]
    waited = len(set(range(whole)) - {episode_of(since) for since in kept.since.values()})
    in_time = all(isinstance(one, float) and one <= PROMISED for one in late)
    return {
        **phases,
        **found,
        "episodes": whole,
        "episodes_without_alert": waited,
        **inbox.told(),
        "sound": spotless(found) and not waited and in_time and all(phase["alive"] for phase in phases.values()),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each fault, and of working after it")
    parser.add_argument("--log", type=Path, help="keep what was logged")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if os.geteuid() != 0 or not shutil.which("cc"):
        parser.error("needs root, to mount a tmpfs, and a C compiler (cc)")
    configure_logging("critical", "console")
    with tempfile.TemporaryDirectory() as folder:
        try:
            result = measure(options.seconds, Path(folder))
        finally:
            if options.log:
                shutil.copy(Path(folder) / "log", options.log)
    tell(result, options.out)
    return 0 if result["sound"] else 1


if __name__ == "__main__":
    sys.exit(main())
