"""A recorded film, judged to its end in its own time: nothing is stored, nobody is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from service.events import Origin
from service.pictures.still import black_out
from service.ports import CameraState, Detector, Frame, FrameSource
from service.safety.detections import Detections
from service.safety.monitor import Monitor, Observation


@dataclass(frozen=True, slots=True)
class Watched:
    """One judged frame. What zones ignore is black on its picture."""

    frame: Frame
    detections: Detections
    observation: Observation


def watched(source: FrameSource, detector: Detector, monitor: Monitor, origin: Origin) -> Iterator[Watched]:
    """Judge a recorded source to its end, in its own time: the same input gives the same observations.

    Raises:
        EndedEarly: it broke off; what was judged until then has been handed out.
        DetectorFails: a picture could not be judged.
    """
    hidden = [zone.polygon for zone in origin.scene.zones if zone.ignore]
    while True:
        happened = source.read(1.0)
        if isinstance(happened, Frame):
            frame = replace(happened, image=black_out(happened.image, hidden))
            try:
                detections = detector.detect(frame.image)
            except Exception as error:
                failed = f"the detector {detector.model.name} fails at {frame.at.seconds:.1f} s"
                raise DetectorFails(f"{failed} ({type(error).__name__}: {error})") from error
            yield Watched(frame, detections, monitor.observe(detections, frame.at))
        elif isinstance(happened, CameraState):
            if happened.status == "ended":
                return
            if happened.status == "offline":
                raise EndedEarly(happened.detail or happened.code or "the recording broke off")


class DetectorFails(Exception):  # noqa: N818 - it reads as what happened
    """The detector raised something; one sentence."""


class EndedEarly(Exception):  # noqa: N818 - it reads as what happened
    """A recording broke off before its end."""
