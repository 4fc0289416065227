"""What one camera's pictures leave behind when an alert fires: stills at once, a clip some seconds later."""

from __future__ import annotations

from service.health import View
from service.pictures.blur import Head, heads
from service.ports import Image, Still
from service.safety.detections import Detections
from service.safety.moment import Moment
from service.safety.monitor import Observation
from service.worker.clips import Clips
from service.worker.evidence import BestFrames


class Witness:
    """Sees one camera's judged frames, black where zones say so.

    Args:
        clips: collects clips; None where the camera makes none.
        blurred: faces are made unrecognisable on all but the clean still.
    """

    def __init__(self, clips: Clips | None = None, *, blurred: bool = True) -> None:
        self._best = BestFrames()
        self._clips = clips
        self._blurred = blurred

    @property
    def makes_clips(self) -> bool:
        """Whether a clip follows an alert."""
        return self._clips is not None

    def see(self, image: Image, detections: Detections, observation: Observation) -> list[Still]:
        """Take one frame; return the stills of the alerts that fired on it, and begin their clip."""
        faces: tuple[Head, ...] = heads(detections) if self._blurred else ()
        people, at = observation.people, observation.at
        fired = [change.alert for change in observation.alerts if change.kind == "fired"]
        self._best.see(image, people, faces, at)
        if self._clips:
            self._clips.see(image, faces, at)
            self._clips.begin(tuple(alert.id for alert in fired), at)
        return [still for alert in fired for still in self._best.stills(alert, image, people, faces)]

    def view(self, image: Image, detections: Detections, observation: Observation) -> View:
        """Return what one frame shows, for whoever looks at the camera now."""
        return View(image, observation.people, detections, self._blurred, observation.unverified)

    def wait(self, now: Moment) -> None:
        """Let time pass for what is held, clips that have begun among it, while no frame is judged."""
        self._best.wait(now)
        if self._clips:
            self._clips.wait(now)

    def close(self) -> None:
        """Hand over the clips that have begun."""
        if self._clips:
            self._clips.close()
