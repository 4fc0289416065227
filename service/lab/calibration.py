"""Do confidences mean what they say? Of the boxes that are 0.7 sure, 0.7 should hit a label.

Source: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017 (reliability diagram,
expected calibration error), for boxes as in Kueppers et al., "Multivariate Confidence Calibration for Object
Detection", CVPRW 2020, by confidence alone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from service.detectors.boxes import FLOOR
from service.lab.boxes import Hits

BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Boxes with a confidence in [least, most): how many, how sure on average, and the share that hits."""

    least: float
    most: float
    boxes: int
    confidence: float
    hits: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """The bins that hold boxes, and the expected calibration error: the mean gap, weighted by boxes."""

    bins: tuple[Bin, ...]
    error: float | None

    def as_json(self) -> dict[str, object]:
        """Return plain data."""
        return {"error": self.error, "bins": [asdict(one) for one in self.bins]}


def reliability(found: Hits, least: float = FLOOR) -> Reliability:
    """Compare confidence and share of hits in bins of equal width, of the boxes from `least` on.

    The service reports nothing under `boxes.FLOOR`; without that limit a sea of boxes near 0 would hide every gap.
    """
    kept = found.confidence >= least
    confidence, hit = found.confidence[kept], found.hit[kept]
    place = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    bins = []
    for number in sorted({int(one) for one in place}):
        inside = place == number
        bins.append(
            Bin(
                number / BINS,
                (number + 1) / BINS,
                int(inside.sum()),
                round(float(confidence[inside].mean()), 4),
                round(float(hit[inside].mean()), 4),
            )
        )
    gaps = sum(one.boxes * abs(one.confidence - one.hits) for one in bins)
    return Reliability(tuple(bins), round(gaps / len(confidence), 4) if bins else None)
