"""Kinds of people on which a model may be worse: cut by the border, in a crowd, dark, blurred.

A kind is told from the truth and the pixels alone, never from what the model said, so that two models are counted on
the same people. Whoever was said to be there and is not belongs to the kinds of the place where they were said to be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from service.ports import Image
from service.safety.inference import Box

GRID: Final = 64
EDGE: Final = 0.005
"""A box this near to the border, as a share of the picture's side, is cut by it (as in `safety.wearing`)."""
CROWD: Final = 5
DARK: Final = 75.0
BLURRED: Final = 150.0
"""About a tenth of the evaluation people from 100 pixels on lie under each, some for dark clothes or smooth walls."""


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """How bright and how sharp a picture is, place by place.

    Attributes:
        luma: (64, 64) float32, mean grey 0..255 of each cell.
        edges: (64, 64) float32, mean square of the Laplacian of each cell at the size that the model sees, as in the
            variance of the Laplacian (Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000).
    """

    luma: NDArray[np.float32]
    edges: NDArray[np.float32]

    def within(self, box: Box, width: int, height: int) -> tuple[float, float]:
        """Return the mean luma and edges within a box of a picture of this size."""
        x1, y1, x2, y2 = box
        left, top = (min(int(low * GRID / side), GRID - 1) for low, side in ((x1, width), (y1, height)))
        right, bottom = (int(np.ceil(high * GRID / side)) for high, side in ((x2, width), (y2, height)))
        place = slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))
        return float(self.luma[place].mean()), float(self.edges[place].mean())


def light(image: Image, scale: float) -> Light:
    """Measure a picture ((h, w, 3) uint8 BGR) at `scale` pixels of the model's for one of its own."""
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    grey = np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=way))
    edges = np.asarray(cv2.Laplacian(grey, cv2.CV_32F)) ** 2
    luma, sharp = (
        np.asarray(cv2.resize(one.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA), np.float32)
        for one in (grey, edges)
    )
    return Light(luma, sharp)


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where somebody is, or was said to be: a box in a picture with so many true people."""

    box: Box
    width: int
    height: int
    people: int
    light: Light | None = None


def cut_off(place: Place) -> bool:
    """Tell whether the border of the picture cuts the person."""
    x1, y1, x2, y2 = place.box
    wide, high = EDGE * place.width, EDGE * place.height
    return x1 <= wide or y1 <= high or x2 >= place.width - wide or y2 >= place.height - high


def in_a_crowd(place: Place) -> bool:
    """Tell whether `CROWD` people or more are in the picture."""
    return place.people >= CROWD


def dark(place: Place) -> bool:
    """Tell whether the mean grey of the box is under `DARK`; False where no pixels were measured."""
    return place.light is not None and place.light.within(place.box, place.width, place.height)[0] < DARK


def blurred(place: Place) -> bool:
    """Tell whether the box has fewer edges than `BLURRED`; False where no pixels were measured."""
    return place.light is not None and place.light.within(place.box, place.width, place.height)[1] < BLURRED


SLICES: Final[dict[str, Callable[[Place], bool]]] = {
    "cut by the border": cut_off,
    f"crowd ({CROWD} people or more)": in_a_crowd,
    "dark": dark,
    "blurred": blurred,
    "none of these": lambda place: not (cut_off(place) or in_a_crowd(place) or dark(place) or blurred(place)),
}
