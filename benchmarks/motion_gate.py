"""Does the motion gate change an alert, and what does it save?

    python -m benchmarks.motion_gate --clips FOLDER [--fps 5] [--noise 2] [--lead 20] [--out FILE]

Every film in the folder is judged twice in its own time by the same monitor: all its frames, and those that the gate
asks for. The detector looks at each frame once, so what differs is the gate's. `--lead` seconds of the film's first
picture with everybody on it blurred away, and a sensor's noise (`--noise` grey levels), come before it: an empty scene,
which is where the gate saves; the films themselves are hardly ever empty.

Prints JSON; exits with 1 when an alert differs in anything but when it fired, or fired more than `EVERY` later.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.figures import tell
from service.cameras.recorded import open_video
from service.detectors.opening import open_detector
from service.events import Origin
from service.ports import Detector, Frame, Image
from service.safety.alerts import AlertChange
from service.safety.detections import Detections, empty
from service.safety.moment import Moment
from service.safety.motion import EVERY, MotionGate
from service.safety.site import Scene
from service.settings import Settings
from service.wiring import open_monitor
from service.worker.lookout import Lookout


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame and what the detector saw on it."""

    image: Image
    at: Moment
    detections: Detections


def shots(film: Path, fps: float, lead: float, noise: float, detector: Detector) -> Iterator[Shot]:
    """Yield an empty scene for `lead` seconds, and the film after it."""
    source = open_video(film, fps=fps, start_ms=0)
    random = np.random.default_rng(1)
    try:
        while (happened := source.read(1.0)) is not None:
            if not isinstance(happened, Frame):
                continue
            if happened.number == 1:
                yield from _lead(happened.image, detector, lead, fps, noise, random)
            at = Moment(happened.at.seconds + lead, happened.at.wall_ms + round(1000 * lead))
            yield Shot(happened.image, at, detector.detect(happened.image))
    finally:
        source.close()


def _lead(
    image: Image, detector: Detector, seconds: float, fps: float, noise: float, random: np.random.Generator
) -> Iterator[Shot]:
    height, width = image.shape[:2]
    place = image.copy()
    for x1, y1, x2, y2 in detector.detect(image).boxes.astype(int):
        part = place[max(0, y1) : y2, max(0, x1) : x2]
        part[:] = cv2.blur(part, (61, 61))
    for number in range(round(seconds * fps)):
        shown = np.clip(place + random.normal(0, noise, place.shape), 0, 255).astype(np.uint8)
        yield Shot(shown, Moment(number / fps, round(1000 * number / fps)), empty(width, height))


def judged(
    film: Iterable[Shot], origin: Origin, detector: Detector, gate: MotionGate | None
) -> tuple[list[AlertChange], int]:
    """Return what changed and how many frames were judged."""
    monitor, lookout = open_monitor(origin, detector), Lookout(None, gate)
    changes: list[AlertChange] = []
    count = 0
    for shot in film:
        if lookout.take(shot.image, (), shot.at, occupied=bool(monitor.open_alerts)).verdict == "judge":
            count += 1
            observation = monitor.observe(shot.detections, shot.at)
            lookout.judged(shot.detections, len(observation.people), shot.at)
            changes += observation.alerts
    return changes, count


def told(changes: list[AlertChange]) -> list[tuple[str, str, str]]:
    """Return the changes without their people, whose names hold when they were first seen."""
    return [(change.kind, change.alert.zone, change.alert.equipment) for change in changes]


def compare(film: Path, fps: float, lead: float, noise: float, detector: Detector) -> dict[str, object]:
    origin = Origin(Scene(camera="film"))
    seen = list(shots(film, fps, lead, noise, detector))
    plain, frames = judged(seen, origin, detector, None)
    gated, asked = judged(seen, origin, detector, MotionGate())
    later = [one.at.since(other.at) for one, other in zip(gated, plain, strict=False)]
    same = told(plain) == told(gated)
    before = sum(shot.at.seconds < lead for shot in seen)
    return {
        "frames": frames,
        "judged": asked,
        "saved": round(1 - asked / max(1, frames), 3),
        "empty_frames": before,
        "alerts": told(plain),
        "same_alerts": same,
        "latest_s": round(max(later, default=0.0), 2),
        "sound": same and max(later, default=0.0) <= EVERY + 1e-6,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True, help="folder with films (.mp4)")
    parser.add_argument("--fps", type=float, default=5.0)
    parser.add_argument("--noise", type=float, default=2.0)
    parser.add_argument("--lead", type=float, default=20.0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    detector = open_detector(Settings())
    try:
        films = sorted(options.clips.glob("*.mp4"))
        results = {one.stem: compare(one, options.fps, options.lead, options.noise, detector) for one in films}
    finally:
        detector.close()
    tell({"every_s": EVERY, "films": results}, options.out)
    return 0 if all(result["sound"] for result in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
