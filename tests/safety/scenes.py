"""Made-up scenes: people, heads and torsos as boxes."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from service.safety.detections import Detections
from service.safety.equipment import CLASS_ID, ClassName

Row = tuple[ClassName, float, tuple[float, float, float, float]]


def scene(*rows: Row, width: int = 1000, height: int = 800, scale: float = 1.0) -> Detections:
    """Return detections from (class, confidence, corners) rows."""
    return Detections(
        np.array([row[2] for row in rows], dtype=np.float32).reshape(-1, 4),
        np.array([row[1] for row in rows], dtype=np.float32),
        np.array([CLASS_ID[row[0]] for row in rows], dtype=np.int64),
        width,
        height,
        scale,
    )


def person_at(x: float, y: float, w: float = 100, h: float = 300, confidence: float = 0.8) -> Row:
    return ("person", confidence, (x, y, x + w, y + h))


def head_of(person: Row, name: ClassName = "helmet", confidence: float = 0.7) -> Row:
    x1, y1, x2, y2 = person[2]
    w, h = x2 - x1, y2 - y1
    return (name, confidence, (x1 + 0.3 * w, y1, x1 + 0.7 * w, y1 + 0.14 * h))


def torso_of(person: Row, name: ClassName = "vest", confidence: float = 0.7) -> Row:
    x1, y1, x2, y2 = person[2]
    w, h = x2 - x1, y2 - y1
    return (name, confidence, (x1 + 0.1 * w, y1 + 0.18 * h, x1 + 0.9 * w, y1 + 0.55 * h))


@st.composite
def rows(draw: st.DrawFn) -> list[Row]:
    """Draw crowds: people anywhere, items on them, beside them and nowhere near; confidences all different."""
    count = draw(st.integers(0, 12))
    confidences = draw(st.lists(st.integers(30, 99), min_size=count, max_size=count, unique=True))
    drawn: list[Row] = []
    for confidence in confidences:
        name = draw(st.sampled_from(["helmet", "no-helmet", "vest", "no-vest", "person", "person"]))
        x, y = draw(st.integers(120, 700)), draw(st.integers(120, 450))
        w, h = (
            (draw(st.integers(60, 160)), draw(st.integers(100, 330)))
            if name == "person"
            else (
                draw(st.integers(20, 90)),
                draw(st.integers(20, 120)),
            )
        )
        drawn.append((name, confidence / 100, (x, y, x + w, y + h)))  # type: ignore[arg-type]
    return drawn
