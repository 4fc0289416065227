"""How long until a camera's fault is told, and until its pictures are back? Faults as they happen, on a real server.

    python -m benchmarks.camera_faults [--trials 20] [--lanes 4] [--longest 50] [--login 150]
        [--faults frozen,silent,killed,packets_lost,cable_pulled] [--out FILE]

A GStreamer RTSP server sends a small pre-encoded stream, and the service's own reader watches it. Each fault comes
`--trials` times, on `--lanes` cameras at once: the server is frozen (SIGSTOP: its connections stay), falls silent (it
answers, and sends no pictures), is killed; every packet is lost, the cable is pulled (in a network namespace; needs
root and iproute2). It lasts from until it is told up to `--longest` seconds, a different time each trial, and begins
after 11 s of pictures. Beside it a camera is watched with a wrong password for `--login` seconds, and its server notes
each login that it judges (some requests it judges twice).

Prints JSON; exits with 1 when a fault was told after more than 10 s, pictures came later than 10 s after its end, or a
refused login was tried again within a minute.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from subprocess import Popen

from benchmarks.clips import moving
from benchmarks.figures import tell
from benchmarks.network import Cable, cable, missing_for_cables
from benchmarks.processes import free_port
from benchmarks.watched import Watched, watched
from service.cameras.opening import open_source
from service.ports import FrameSource
from service.worker.clock import SystemClock
from tests.rtsp.camera import missing_for_rtsp, rtsp_camera

PROMISED = 10.0
"""Seconds until a fault is told, and until pictures are back after its end."""
GIVEN_UP = 90.0
FPS = "10"
STEADY = 11.0
"""Seconds of pictures before a fault: after 10 the pauses between attempts begin anew."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to a camera and what ends it."""

    begin: Callable[[], object]
    end: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Trial:
    """How one fault went, in seconds; None: not within 90 s. `said`: the states of a camera that did not come back."""

    lasted: float
    told: float | None
    code: str
    back: float | None
    said: tuple[str, ...] = ()


@contextmanager
def frozen(clips: Path) -> Iterator[tuple[str, Fault]]:
    with _served(clips) as (url, server):
        yield url, Fault(lambda: server.send_signal(signal.SIGSTOP), lambda: server.send_signal(signal.SIGCONT))


@contextmanager
def silent(clips: Path) -> Iterator[tuple[str, Fault]]:
    with _served(clips) as (url, server):
        yield url, Fault(lambda: server.send_signal(signal.SIGUSR1), lambda: server.send_signal(signal.SIGUSR2))


@contextmanager
def killed(clips: Path) -> Iterator[tuple[str, Fault]]:
    port = free_port()
    with ExitStack() as server:

        def serve() -> None:
            server.enter_context(rtsp_camera(clips, port, "--fps", FPS))

        serve()
        yield f"rtsp://127.0.0.1:{port}/h264", Fault(server.close, serve)


@contextmanager
def packets_lost(clips: Path) -> Iterator[tuple[str, Fault]]:
    with _cabled(clips) as (url, link):
        yield url, Fault(link.drop, link.deliver)


@contextmanager
def cable_pulled(clips: Path) -> Iterator[tuple[str, Fault]]:
    with _cabled(clips) as (url, link):
        yield url, Fault(link.pull, link.plug)


Setting = Callable[[Path], AbstractContextManager[tuple[str, Fault]]]
LOCAL: dict[str, Setting] = {"frozen": frozen, "silent": silent, "killed": killed}
NETWORK: dict[str, Setting] = {"packets_lost": packets_lost, "cable_pulled": cable_pulled}


@contextmanager
def _served(clips: Path) -> Iterator[tuple[str, Popen[str]]]:
    port = free_port()
    with rtsp_camera(clips, port, "--fps", FPS) as server:
        yield f"rtsp://127.0.0.1:{port}/h264", server


@contextmanager
def _cabled(clips: Path) -> Iterator[tuple[str, Cable]]:
    with cable() as link, rtsp_camera(clips, 8554, "--address", link.there, "--fps", FPS, within=link.within):
        yield f"rtsp://{link.there}:8554/h264", link


def lane(setting: Setting, clips: Path, lasting: Sequence[float]) -> list[Trial]:
    """Try a fault again and again on one camera, each time lasting so many seconds, or until it is told."""
    with setting(clips) as (url, fault), watched(_source(url)) as camera:
        return [_trial(camera, fault, seconds) for seconds in lasting]


def _trial(camera: Watched, fault: Fault, lasting: float) -> Trial:
    if camera.frame(time.monotonic(), GIVEN_UP) is None:
        raise RuntimeError("the camera gives no pictures before its fault")
    time.sleep(STEADY)
    began = time.monotonic()
    fault.begin()
    told = camera.offline(began, GIVEN_UP)
    time.sleep(max(0.0, began + lasting - time.monotonic()))
    fault.end()
    ended = time.monotonic()
    back = camera.frame(ended, GIVEN_UP)
    return Trial(
        round(ended - began, 1),
        round(told[0] - began, 2) if told else None,
        str(told[1].code) if told else "",
        round(back - ended, 2) if back else None,
        () if back else tuple(f"{at - ended:.1f} {one.status} {one.code}" for at, one in camera.states if at >= began),
    )


def refused(clips: Path, seconds: float) -> dict[str, object]:
    """Watch with a wrong password; return what was said and what the server was asked, in seconds from the start."""
    port, log = free_port(), clips / "refused.log"
    options = ["--user", "user", "--password", "right", "--log", str(log)]
    with rtsp_camera(clips, port, *options):
        source = _source(f"rtsp://127.0.0.1:{port}/h264", "user", "wrong")
        with watched(source) as camera:
            began = time.monotonic()
            told = camera.offline(began, GIVEN_UP)
            time.sleep(max(0.0, began + seconds - time.monotonic()))
            ended = time.monotonic()
    lines = [line.split() for line in log.read_text(encoding="utf-8").splitlines()]
    logins = [round(float(at) - began, 1) for at, what in lines if what == "login"]
    rounds = [at for before, at in pairwise([-60.0, *logins]) if at - before > 5]  # one attempt may ask twice
    return {
        "watched_s": round(ended - began, 1),
        "code": told[1].code if told else None,
        "connections": sum(what == "connected" for _, what in lines),
        "logins_at_s": logins,
        "least_between_attempts_s": round(min((b - a for a, b in pairwise(rounds)), default=0.0), 1),
    }


def measure(faults: Collection[str], trials: int, lanes: int, longest: float, login: float) -> dict[str, object]:
    missing = missing_for_cables()
    settings = {name: one for name, one in (LOCAL if missing else LOCAL | NETWORK).items() if name in faults}
    lasting = [5 + (longest - 5) * number / max(1, trials - 1) for number in range(trials)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(lanes * len(settings) + 1) as pool:
        clips = Path(folder)
        moving(clips / "a.h264", 320, 180, float(FPS))
        waiting = pool.submit(refused, clips, login) if login else None
        lines = {
            name: [pool.submit(lane, setting, clips, lasting[first::lanes]) for first in range(lanes)]
            for name, setting in settings.items()
        }
        found = {name: _summed([trial for one in many for trial in one.result()]) for name, many in lines.items()}
        return {
            "trials": trials,
            **found,
            **(dict.fromkeys(NETWORK.keys() & faults, f"not tried: {missing}") if missing else {}),
            **({"wrong_password": waiting.result()} if waiting else {}),
        }


def _summed(trials: list[Trial]) -> dict[str, object]:
    return {
        "codes": dict(Counter(trial.code for trial in trials)),
        "told_s": _spread([trial.told for trial in trials]),
        "back_s": _spread([trial.back for trial in trials]),
        "each": [[trial.lasted, trial.told, trial.back] for trial in trials],
        **({"not_back": said} if (said := [trial.said for trial in trials if trial.said]) else {}),
    }


def _spread(seconds: list[float | None]) -> dict[str, object]:
    known = [one for one in seconds if one is not None]
    return {
        "median": round(statistics.median(known), 2) if known else None,
        "worst": max(known) if len(known) == len(seconds) else None,
        "in_time": f"{sum(one <= PROMISED for one in known)} of {len(seconds)}",
    }


def sound(found: dict[str, object]) -> bool:
    """Tell whether everything that was tried was in time."""
    for name in LOCAL | NETWORK:
        one = found.get(name)
        if isinstance(one, dict) and not all(_in_time(told) and _in_time(back) for _, told, back in one["each"]):
            return False
    login = found.get("wrong_password")
    if not isinstance(login, dict):
        return True
    return login["code"] == "STREAM_AUTH_FAILED" and not 0 < login["least_between_attempts_s"] < 60


def _in_time(seconds: float | None) -> bool:
    return seconds is not None and seconds <= PROMISED


def _source(url: str, user: str = "", password: str = "") -> FrameSource:
    return open_source(url, fps=5.0, clock=SystemClock(), user=user, password=password)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", default=",".join(LOCAL | NETWORK))
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--lanes", type=int, default=4, help="cameras that a fault is tried on at once")
    parser.add_argument("--longest", type=float, default=50.0, help="seconds that a fault lasts at most")
    parser.add_argument("--login", type=float, default=150.0, help="seconds with a wrong password; 0 for none")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if missing := missing_for_rtsp():
        parser.error(missing)
    faults = frozenset(options.faults.split(","))
    if strange := faults - (LOCAL | NETWORK).keys():
        parser.error(f"no such fault: {', '.join(sorted(strange))}")
    found = measure(faults, options.trials, options.lanes, options.longest, options.login)
    result = {**found, "sound": sound(found)}
    tell(result, options.out)
    return 0 if result["sound"] else 1


if __name__ == "__main__":
    sys.exit(main())
