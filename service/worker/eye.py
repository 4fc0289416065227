"""One camera's way to the detector: one that fails rests between tries, and is told of when it fails for long."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Future
from typing import Final

import structlog

from service.ports import Detector, DetectorClosed, Image
from service.safety.coverage import CannotJudge, blindness
from service.safety.detections import Detections
from service.safety.equipment import EQUIPMENT, Equipment
from service.safety.moment import Moment
from service.safety.site import Scene

FIRST_REST: Final = 1.0
LONGEST_REST: Final = 60.0
"""Seconds between a failure and the next try: doubled each time, from the one to the other."""
PATIENCE: Final = 5.0
"""Seconds without a judged picture, though there were pictures, after which it is told."""
LONGEST_LOOK: Final = 20.0
"""Seconds that the detector may take for a picture; then it is stuck, and is asked nothing until it has answered."""

log = structlog.get_logger("watch")


class Eye:
    """Looks at one camera's pictures with the detector.

    Args:
        asked: what is to be judged on them.
        now: from when on it looks.
        longest: seconds that the detector may take for a picture.
        failed: is called each time that the detector failed.
    """

    def __init__(
        self,
        camera: str,
        asked: Collection[Equipment],
        detector: Detector,
        now: Moment,
        longest: float = LONGEST_LOOK,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        self._failed = failed
        self._camera = camera
        self._asked = asked
        self._detector = detector
        self._longest = longest
        self._look: Future[Detections] | None = None
        self._worked = now
        self._failing: Moment | None = None
        self._rest = 0.0
        self._again = now.seconds
        self._told: set[Equipment] = set()

    def restore(self, told: Collection[str]) -> None:
        """Take over the conditions that were told before a restart, so that their end is told."""
        self._told = {one for one in EQUIPMENT if blindness(one, "detector_failed") in told}

    def look(self, image: Image, now: Moment) -> tuple[Detections | None, tuple[CannotJudge, ...]]:
        """Return what is on a picture, or None while the detector fails or rests; and what is to be told of that.

        Raises:
            DetectorClosed: it was closed, and will not work again.
        """
        if self._failing is not None and (now.seconds < self._again or self.stuck):
            return None, self._overdue(self._failing, now)
        try:
            self._look = self._detector.submit(image)
            detections = self._look.result(self._longest)
        except DetectorClosed:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the engine raises, the camera is watched when it works again
            return None, self._fails(error, now)
        return detections, self._works(now)

    @property
    def stuck(self) -> bool:
        """Whether the detector has not answered the last picture."""
        return self._look is not None and not self._look.done()

    def _fails(self, error: Exception, now: Moment) -> tuple[CannotJudge, ...]:
        self._failed()
        if self._failing is None:
            log.error("detector.stuck" if self.stuck else "detector.failing", camera=self._camera, exc_info=error)
        began = self._failing = self._failing or now
        self._rest = min(2 * self._rest, LONGEST_REST) or FIRST_REST
        self._again = now.seconds + self._rest
        return self._overdue(began, now)

    def _overdue(self, began: Moment, now: Moment) -> tuple[CannotJudge, ...]:
        if now.since(began) < PATIENCE:
            return ()
        silent = [one for one in EQUIPMENT if one in self._asked and one not in self._told]
        self._told.update(silent)
        return tuple(self._change(one, now, begins=True) for one in silent)

    def _works(self, now: Moment) -> tuple[CannotJudge, ...]:
        if self._failing is not None:
            log.info("detector.works_again", camera=self._camera)
        over = tuple(self._change(one, now, begins=False) for one in EQUIPMENT if one in self._told)
        self._worked, self._failing, self._rest, self._told = now, None, 0.0, set()
        return over

    def _change(self, equipment: Equipment, now: Moment, *, begins: bool) -> CannotJudge:
        """Say that nothing was judged since the detector worked last."""
        lasted = max(0.0, now.since(self._worked))
        return CannotJudge(self._camera, equipment, begins, 1.0, 0.0, now, "detector_failed", lasted)


def asked_of(scene: Scene) -> frozenset[Equipment]:
    """Return what a scene asks for anywhere, at any time."""
    if not scene.zones:
        return frozenset(EQUIPMENT)
    asking = [zone for zone in scene.zones if not zone.ignore and not zone.exempt]
    return frozenset(requirement.equipment for zone in asking for requirement in zone.require)
