"""What is kept of a picture to know the camera by: how much there is on it, and where its edges are.

Edges rather than brightness, and place by place: light comes and goes, people and vehicles hide some places, and a
camera that was knocked or turned changes all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.safety.moment import Moment

ROWS: Final = 36
COLUMNS: Final = 64
"""Size of a thumbnail in cells."""
PLACE_ROWS: Final = 6
PLACE_COLUMNS: Final = 8
"""Size of a place in cells: there are 6 x 8 of them."""
STRONGEST: Final = 8
"""Cells whose mean is a picture's detail: a few lamps at night are enough."""
STRUCTURE: Final = 3.0
"""Grey levels by which the edges of a place differ, root mean square, from which it can be known again."""
LEAST_PLACES: Final = 8
"""Places with structure without which a view can't be known again."""
AGREES: Final = 0.5
"""Correlation of edges from which a place is as it was."""
LEARNING: Final = 10.0
"""Seconds of pictures that make a view."""
FADES: Final = 300.0
"""Seconds in which a view is replaced by what is seen, to 63 %: slower than people, faster than the sun."""

Mask = NDArray[np.bool_]
_Cells = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """What is kept of one picture.

    Attributes:
        thumbnail: (36, 64) uint8, grey.
        digest: the same number for the same picture, pixel by pixel; another one for another, sensor noise included.
        hidden: (36, 64) bool, cells that are black because a zone ignores them; None where there are none.
    """

    thumbnail: NDArray[np.uint8]
    digest: int
    hidden: Mask | None = None


def detail(glance: Glance) -> float:
    """Return how much there is on a picture, in grey levels: how far its strongest cells stand out of what is around.

    Cells are taken two by two, so that noise cancels; a smooth slope, as a hand on the lens gives, has no detail.
    """
    cells = glance.thumbnail.astype(np.float32)
    small = cells.reshape(ROWS // 2, 2, COLUMNS // 2, 2).mean(axis=(1, 3))
    around = sum(small[row : row + ROWS // 2 - 2, column : column + COLUMNS // 2 - 2] for row, column in _NINE) / 9
    stands_out = np.abs(small[1:-1, 1:-1] - around)
    if glance.hidden is not None:
        hidden: Mask = np.any(glance.hidden.reshape(ROWS // 2, 2, COLUMNS // 2, 2), axis=(1, 3))
        stands_out = np.where(_spread(hidden, 1)[1:-1, 1:-1], 0.0, stands_out)
    return float(np.partition(stands_out.ravel(), -STRONGEST)[-STRONGEST:].mean())


class View:
    """What a camera shows when nobody touches it, learned slowly. `learn` advances it."""

    def __init__(self) -> None:
        self._edges: _Cells | None = None
        self._began: Moment | None = None
        self._last: Moment | None = None
        self._looks = 0

    def learn(self, glance: Glance, at: Moment) -> None:
        """Take a picture of it."""
        edges = _edges(glance)
        self._looks += 1
        if self._edges is None or self._began is None or self._last is None:
            self._edges, self._began = edges, at
        else:
            step = min(1.0, max(0.0, at.since(self._last)))
            self._edges += max(1 / self._looks if not self.known else 0.0, step / FADES) * (edges - self._edges)
        self._last = at

    def alike(self, glance: Glance) -> float | None:
        """Return which share of its places are on a picture as they were, 0..1.

        Only places that have structure, then and now, can tell; None when they are too few, or it is not learned yet.
        """
        if self._edges is None or not self.known:
            return None
        then, now = _places(self._edges), _places(_edges(glance))
        then_size, now_size = (np.sqrt((one**2).mean(axis=1)) for one in (then, now))
        tell = (then_size >= STRUCTURE) & (now_size >= STRUCTURE)
        if tell.sum() < LEAST_PLACES:
            return None
        correlation = (then[tell] * now[tell]).mean(axis=1) / (then_size[tell] * now_size[tell])
        return float((correlation >= AGREES).mean())

    @property
    def bare(self) -> bool:
        """Whether it was learned and has too little structure to be known again."""
        if self._edges is None or not self.known:
            return False
        size = np.sqrt((_places(self._edges) ** 2).mean(axis=1))
        return int((size >= STRUCTURE).sum()) < LEAST_PLACES

    @property
    def known(self) -> bool:
        """Whether it was seen for long enough."""
        return self._began is not None and self._last is not None and self._last.since(self._began) >= LEARNING


_NINE: Final = tuple((row, column) for row in range(3) for column in range(3))


def _edges(glance: Glance) -> _Cells:
    """Return how steep each cell is: which way brightness goes is left out, since light may come from elsewhere."""
    cells = glance.thumbnail.astype(np.float32)
    across, down = np.zeros_like(cells), np.zeros_like(cells)
    across[:, 1:-1] = cells[:, 2:] - cells[:, :-2]
    down[1:-1] = cells[2:] - cells[:-2]
    edges: _Cells = np.hypot(across, down)
    if glance.hidden is not None:
        edges[_spread(glance.hidden, 1)] = 0.0
    return edges


def _places(edges: _Cells) -> _Cells:
    """Return the edges place by place, (48, 48), each without its mean."""
    cut = edges.reshape(ROWS // PLACE_ROWS, PLACE_ROWS, COLUMNS // PLACE_COLUMNS, PLACE_COLUMNS)
    places = cut.transpose(0, 2, 1, 3).reshape(-1, PLACE_ROWS * PLACE_COLUMNS)
    centred: _Cells = places - places.mean(axis=1, keepdims=True)
    return centred


def _spread(hidden: Mask, reach: int) -> Mask:
    """Return hidden cells and those within `reach` cells of one: black beside what is seen is no edge of the place."""
    rows, columns = hidden.shape
    padded, offsets = np.pad(hidden, reach), range(2 * reach + 1)
    near = [padded[row : row + rows, column : column + columns] for row in offsets for column in offsets]
    spread: Mask = np.logical_or.reduce(near)
    return spread
