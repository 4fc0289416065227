"""The detector's self-test on the command line: beside a service, and once, by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from service.cli.opening import detector_for, settings_for
from service.cli.terminal import NOT_ALL_JUDGED, out, refuse

if TYPE_CHECKING:
    from service.ports import Detector
    from service.settings import Settings


@contextmanager
def testing(settings: Settings, detector: Detector) -> Iterator[Callable[[], str]]:
    """Test a detector now and once an hour; give what tells the fault of the last test, or ""."""
    from service.wiring import WiringError, self_tested

    try:
        with self_tested(settings, detector) as test:
            yield lambda: test.fault if test else ""
    except WiringError as error:
        refuse(str(error))


def check_weights(ctx: typer.Context, manifest: Path) -> None:
    """Test some weights once and say how it went; leave when they fail."""
    from service.detectors.golden import golden_picture, likeness
    from service.detectors.manifest import WeightsError, read_manifest

    settings = settings_for(weights=manifest)
    try:
        read = read_manifest(manifest)
        if read.golden is None:
            refuse(f"{manifest} names no golden picture; ppe golden {manifest} makes one (needs the extra 'train')")
        picture = golden_picture(read.golden, manifest)
    except WeightsError as error:
        refuse(str(error))
    detector = detector_for(ctx, settings)
    try:
        found = likeness(read.golden.boxes, detector.detect(picture))
    finally:
        detector.close()
    name = f"{detector.model.name} {detector.model.version}"
    if found.faults:
        out().print(f"{name} does not see what it should: {'; '.join(found.faults)}", markup=False, soft_wrap=True)
        raise typer.Exit(NOT_ALL_JUDGED)
    out().print(
        f"{name} sees what it should: {found.expected} of {found.expected} boxes of its golden picture, IoU "
        f"{found.least_iou:.3f} and more, confidences within {found.most_confidence:.3f}",
        markup=False,
        soft_wrap=True,
    )
