"""A detector is asked once in a while whether it still sees what its weights are known to see (`golden`)."""

from __future__ import annotations

import threading
from typing import Final

import structlog

from service.detectors.golden import likeness
from service.detectors.manifest import GoldenBox
from service.ports import Detector, Image

EVERY: Final = 3600.0
"""Seconds between two tests."""
PATIENCE: Final = 60.0
"""Seconds that a test waits for the answer: there may be pictures before it."""

log = structlog.get_logger("self_test")


class SelfTest:
    """Tests one detector; what is wrong is logged when it begins and when it is over. Any thread may ask for the fault.

    Args:
        detector: looks at the picture.
        picture: the golden one, as it is looked at.
        expected: what should be seen on it.
        patience: seconds that an answer may take.
    """

    def __init__(
        self, detector: Detector, picture: Image, expected: tuple[GoldenBox, ...], *, patience: float = PATIENCE
    ) -> None:
        self._detector = detector
        self._picture = picture
        self._expected = expected
        self._patience = patience
        self._fault = ""

    @property
    def fault(self) -> str:
        """What was wrong at the last test, in a few words; empty when nothing was."""
        return self._fault

    def run(self) -> str:
        """Test now and return what is wrong."""
        fault, before = self._tested(), self._fault
        self._fault = fault
        model = {"model": self._detector.model.name, "version": self._detector.model.version}
        if fault:
            log.error("self_test.failed", fault=fault, **model)
        elif before:
            log.info("self_test.passes_again", **model)
        return fault

    def run_on_and_on(self, stop: threading.Event, every: float = EVERY) -> None:
        """Test every so many seconds, the first time after as many, until `stop` is set."""
        while not stop.wait(every):
            self.run()

    def _tested(self) -> str:
        try:
            seen = self._detector.submit(self._picture).result(self._patience)
        except TimeoutError:
            return f"it has not answered for {self._patience:g} s"
        except Exception as error:  # noqa: BLE001 - whatever it raises on its golden picture is a fault of it
            return f"it fails on its golden picture ({type(error).__name__}: {error})"
        return "; ".join(likeness(self._expected, seen).faults)
