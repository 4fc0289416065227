"""The detector's self-test, at the start and once an hour, for as long as a context lasts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from service.detectors.golden import golden_picture
from service.detectors.manifest import WeightsError, read_manifest
from service.ports import Detector
from service.settings import Settings
from service.wiring.faults import WiringError

if TYPE_CHECKING:
    from service.detectors.self_test import SelfTest


def self_test_of(settings: Settings, detector: Detector) -> SelfTest | None:
    """Return the test of a detector by its weights' golden picture; None when they have none, or it runs none of them.

    Raises:
        WiringError: the golden picture is not there, or another one.
    """
    from service.detectors.self_test import SelfTest

    try:
        manifest = read_manifest(settings.weights)
        if manifest.golden is None or detector.model.sha256 not in {one.sha256 for one in manifest.files.values()}:
            return None
        return SelfTest(detector, golden_picture(manifest.golden, settings.weights), manifest.golden.boxes)
    except WeightsError as error:
        raise WiringError(str(error)) from error


@contextmanager
def self_tested(settings: Settings, detector: Detector) -> Iterator[SelfTest | None]:
    """Test a detector now and once an hour.

    Raises:
        WiringError: see `self_test_of`.
    """
    test = self_test_of(settings, detector)
    if test is None:
        structlog.get_logger("self_test").info("self_test.none", model=detector.model.name)
        yield None
        return
    test.run()
    stop = threading.Event()
    thread = threading.Thread(target=test.run_on_and_on, args=(stop,), name="self-test", daemon=True)
    thread.start()
    try:
        yield test
    finally:
        stop.set()
        thread.join(10)
