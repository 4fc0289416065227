"""Look at a picture in overlapping tiles besides the whole: for far cameras, at a multiple of the cost.

Each tile fills the model's input, so far people are larger in it. What a tile's inner edge cuts is left to its
neighbour or, when it is larger than their overlap, to the look at the whole picture. After Akyon et al., "Slicing Aided
Hyper Inference", ICIP 2022 (https://arxiv.org/abs/2202.06934).
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from service.detectors.boxes import FLOOR, NMS_IOU
from service.ports import Detector, DetectorClosed, Image, Model
from service.safety.detections import Detections, together

OVERLAP: Final = 0.2
"""Share of a tile that it has in common with each neighbour."""
EDGE: Final = 2.0
"""Pixels: a box that comes so near to a tile's inner edge is cut by it."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of a picture in whole pixels."""

    x1: int
    y1: int
    x2: int
    y2: int


class Tiled:
    """`ports.Detector` that looks at tiles with another one, which it owns.

    Args:
        detector: looks at the whole picture and at each tile.
        across: tiles along the picture's longer side; along the other as many as keep them near to square.
    """

    def __init__(self, detector: Detector, *, across: int) -> None:
        self._detector, self._across = detector, across
        self._workers = ThreadPoolExecutor(1, thread_name_prefix="tile")

    @property
    def model(self) -> Model:
        """The weights that run."""
        return self._detector.model

    def submit(self, image: Image) -> Future[Detections]:
        """Start detecting on `image` ((h, w, 3) uint8 BGR)."""
        whole = self._detector.submit(image)
        tiles = tiles_of(image.shape[1], image.shape[0], self._across)
        parts = [self._detector.submit(np.ascontiguousarray(image[t.y1 : t.y2, t.x1 : t.x2])) for t in tiles]
        try:
            return self._workers.submit(
                lambda: merged(whole.result(), [(t, part.result()) for t, part in zip(tiles, parts, strict=True)])
            )
        except RuntimeError as error:
            raise DetectorClosed("this detector was closed") from error

    def detect(self, image: Image) -> Detections:
        """Detect on `image` and wait for the answer."""
        return self.submit(image).result()

    def close(self) -> None:
        """Finish what runs, then refuse."""
        self._workers.shutdown(wait=True)
        self._detector.close()


def looks(across: int) -> int:
    """Return how many looks a picture of 16:9 takes."""
    return 1 if across <= 1 else 1 + len(tiles_of(1920, 1080, across))


def tiles_of(width: int, height: int, across: int) -> list[Tile]:
    """Return overlapping tiles that cover a picture of this size; none when `across` is 1."""
    if across <= 1:
        return []
    longer, shorter = max(width, height), min(width, height)
    along = max(1, round(across * shorter / longer))
    columns, rows = (across, along) if width >= height else (along, across)
    return [Tile(x1, y1, x2, y2) for y1, y2 in _spans(height, rows) for x1, x2 in _spans(width, columns)]


def _spans(length: int, count: int) -> list[tuple[int, int]]:
    """Cut a length into equal spans, each of which shares `OVERLAP` of itself with the next."""
    span = min(length, round(length / (count - (count - 1) * OVERLAP)))
    starts = [round(index * (length - span) / max(1, count - 1)) for index in range(count)]
    return [(start, start + span) for start in starts]


def merged(whole: Detections, parts: list[tuple[Tile, Detections]]) -> Detections:
    """Return what the whole picture and its tiles showed, each thing once: per class the surest box of each place."""
    most = max(1.0, whole.scale)  # a tile that was enlarged shows nobody in more pixels than they have
    shown = [(tile, replace(seen, seen_scale=np.minimum(seen.seen_scale, most))) for tile, seen in parts]
    pool = together(whole, *(_uncut(tile, seen, whole).moved_into(whole, tile.x1, tile.y1) for tile, seen in shown))
    corner, size = pool.boxes[:, :2], pool.boxes[:, 2:] - pool.boxes[:, :2]
    kept = (
        cv2.dnn.NMSBoxesBatched(
            np.hstack([corner, size]).tolist(), pool.confidence.tolist(), pool.class_id.tolist(), FLOOR, NMS_IOU
        )
        if len(pool)
        else []
    )
    mask = np.zeros(len(pool), dtype=np.bool_)
    mask[np.asarray(kept, dtype=np.int64).reshape(-1)] = True
    return pool.where(mask)


def _uncut(tile: Tile, seen: Detections, whole: Detections) -> Detections:
    """Return what a tile shows entirely: nothing that touches an edge of it that is none of the picture."""
    x1, y1, x2, y2 = seen.boxes.T
    mask = np.ones(len(seen), dtype=np.bool_)
    if tile.x1 > 0:
        mask &= x1 > EDGE
    if tile.y1 > 0:
        mask &= y1 > EDGE
    if tile.x2 < whole.width:
        mask &= x2 < seen.width - EDGE
    if tile.y2 < whole.height:
        mask &= y2 < seen.height - EDGE
    return seen.where(mask)
