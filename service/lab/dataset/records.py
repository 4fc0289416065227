"""What a reader hands on: one picture with its labelled boxes, whatever the export looked like."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = ("train", "valid", "test")
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """One labelled box: the exported label name and ``cx, cy, w, h`` relative to the picture (0..1)."""

    label: str
    cx: float
    cy: float
    w: float
    h: float
    filled: float | None = None
    """Share of the box that the labelled polygon covers; None where the label was a box."""

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Relative x1 y1 x2 y2."""
        return self.cx - self.w / 2, self.cy - self.h / 2, self.cx + self.w / 2, self.cy + self.h / 2

    def with_height(self, factor: float) -> LabelledBox:
        """Return the box with its height multiplied and its upper edge kept, cut at the picture's lower edge."""
        top = self.cy - self.h / 2
        height = min(self.h * factor, max(self.h, 1.0 - top))
        return replace(self, cy=top + height / 2, h=height)


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of an export."""

    path: Path
    split: Split
    boxes: tuple[LabelledBox, ...]
    has_label_file: bool = True

    @property
    def base(self) -> str:
        """The picture's name without Roboflow's ``.rf.<hash>``: augmented copies of one picture share it."""
        return self.path.stem.split(".rf.")[0]


def clipped(label: str, x1: float, y1: float, x2: float, y2: float, filled: float | None = None) -> LabelledBox | None:
    """Cut a relative corner box to the picture; None when nothing of it is left."""
    x1, x2 = max(0.0, min(1.0, x1)), max(0.0, min(1.0, x2))
    y1, y2 = max(0.0, min(1.0, y1)), max(0.0, min(1.0, y2))
    if x2 <= x1 or y2 <= y1:
        return None
    return LabelledBox(label, (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, filled)
