"""Reliability against sums that anybody can do."""

from __future__ import annotations

import numpy as np
import pytest

from service.lab.boxes import Hits
from service.lab.calibration import reliability


def found(*rows: tuple[float, bool]) -> Hits:
    confidence, hit = (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.empty(0), np.empty(0))
    nothing = np.zeros(len(rows), np.int64)
    return Hits(confidence.astype(float), hit.astype(bool), nothing, nothing, np.array([1]), (np.zeros(1),))


def test_confidences_that_mean_what_they_say() -> None:
    told = reliability(found(*[(0.75, True)] * 3, (0.75, False)))
    assert told.error == 0
    (one,) = told.bins
    assert (one.least, one.most, one.boxes, one.confidence, one.hits) == (0.7, 0.8, 4, 0.75, 0.75)


def test_the_error_is_weighted_by_boxes() -> None:
    """Three boxes at 0.9 that all hit (gap 0.1), one at 0.5 that does not (gap 0.5)."""
    told = reliability(found(*[(0.9, True)] * 3, (0.5, False)))
    assert told.error == pytest.approx((3 * 0.1 + 0.5) / 4)
    assert [one.boxes for one in told.bins] == [1, 3]


def test_boxes_that_the_service_never_reports_are_left_out() -> None:
    assert reliability(found((0.04, False))).error is None
    assert reliability(found((0.04, False), (1.0, True))).error == 0
    assert reliability(found()).as_json() == {"error": None, "bins": []}
