"""Put heads of other pictures in place of the heads of a training picture: bare ones onto bodies in vests, and back.

In most datasets a vest comes with a helmet and a bare head with neither, and a model may learn the company instead of
the head. Copy-paste: Dwibedi, Misra, Hebert, "Cut, Paste and Learn", ICCV 2017, arXiv 1708.01642 (soft seams, so that
the seam tells nothing); Ghiasi et al., "Simple Copy-Paste is a Strong Data Augmentation Method for Instance
Segmentation", CVPR 2021, arXiv 2012.07177. Here heads of both classes are pasted, also onto heads of their own class:
that something was pasted says nothing about what.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from typing import Any

from service.safety.equipment import MISSING_CLASS, WORN_CLASS

HELMET, BARE = WORN_CLASS["helmet"], MISSING_CLASS["helmet"]
SMALLEST = 14
"""Pixels: narrower heads are neither kept nor covered."""
KEPT = 200
"""Heads of a class that are kept for later batches."""
LARGER, SMALLER = 1.6, 0.3
"""By how much a head may be enlarged or reduced: enlarged further it would show by its blur."""
AROUND = {HELMET: (0.12, 0.12, 0.1), BARE: (0.15, 0.12, 0.5)}
"""Margin at each side, above and below a head's box, as shares of it; a bare head's box ends at the nose."""
WIDER = {(HELMET, BARE): 1.15, (BARE, HELMET): 1.1}
"""Width of a pasted head as a share of the one that it covers, by their classes: enough to cover it."""
SHAPES = {HELMET: (0.5, 1.4), BARE: (0.75, 1.6)}
"""Height of a whole head's box as a share of its width: what is flatter or longer shows a part, or several."""
FLAT = 0.1
"""Standard deviation of a head's brightness below which it is a blot: blurred on purpose, or a label on nothing."""


@dataclass(frozen=True, slots=True)
class Head:
    """A head cut out of a picture with its margins.

    Attributes:
        label: class.
        pixels: tensor (3, height, width).
        width, height: of its box, in pixels.
    """

    label: int
    pixels: Any
    width: float
    height: float


class HeadPaster:
    """Pastes heads onto the pictures of one batch after another, out of this batch and those before it."""

    def __init__(self, share: float, seed: int) -> None:
        """Args: `share` of the pictures that get a head pasted, where one fits; `seed` decides which and where."""
        self._share = share
        self._dice = random.Random(seed)  # noqa: S311 - no secret
        self._kept: dict[int, deque[Head]] = {label: deque(maxlen=KEPT) for label in (HELMET, BARE)}

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return the batch with heads pasted; the one given stays as it was.

        Args:
            batch: ultralytics' training batch: ``img`` (n, 3, height, width), 0 to 1; ``bboxes`` (m, 4), centre and
                size as shares of the picture; ``cls`` (m, 1); ``batch_idx`` (m,), the picture of each box.
        """
        if not self._share:
            return batch
        images, classes, boxes = batch["img"].clone(), batch["cls"].clone(), batch["bboxes"].clone()
        height, width = images.shape[2:]
        size = boxes.new_tensor([width, height, width, height])
        corners = _corners(boxes * size)
        rows = [int(row) for row in ((classes[:, 0] == HELMET) | (classes[:, 0] == BARE)).nonzero()[:, 0]]
        homes = {row: int(batch["batch_idx"][row]) for row in rows}
        for row in rows:
            self._keep(batch["img"][homes[row]], int(classes[row]), corners[row].tolist())
        for index in range(len(images)):
            here = [row for row in rows if homes[row] == index]
            if not here or self._dice.random() >= self._share:
                continue
            covered = self._dice.choice(here)
            others = [corners[row].tolist() for row in here if row != covered]
            head = self._fitting(int(classes[covered]), corners[covered].tolist())
            placed = head and _paste(images[index], head, int(classes[covered]), corners[covered].tolist(), others)
            if head and placed:
                left, top, right, bottom = placed
                classes[covered] = head.label
                box = boxes.new_tensor([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top])
                boxes[covered] = box / size
        return {**batch, "img": images, "cls": classes, "bboxes": boxes}

    def _keep(self, image: Any, label: int, box: list[float]) -> None:
        left, top, right, bottom = box
        wide, high = right - left, bottom - top
        least, most = SHAPES[label]
        if wide < SMALLEST or not least <= high / wide <= most:
            return
        aside, above, below = AROUND[label]
        x1, y1 = round(left - aside * wide), round(top - above * high)
        x2, y2 = round(right + aside * wide), round(bottom + below * high)
        if x1 < 0 or y1 < 0 or x2 > image.shape[2] or y2 > image.shape[1]:
            return  # cut off by the border, or nearly
        if float(image[:, round(top) : round(bottom), round(left) : round(right)].mean(0).std()) >= FLAT:
            self._kept[label].append(Head(label, image[:, y1:y2, x1:x2].clone(), wide, high))

    def _fitting(self, covered: int, box: list[float]) -> Head | None:
        """Choose one of the kept heads, bare in one of two cases, whose size comes near enough."""
        wide = box[2] - box[0]
        label = BARE if self._dice.random() < 0.5 else HELMET
        wanted = wide * WIDER.get((label, covered), 1.0)
        fitting = [head for head in self._kept[label] if SMALLER <= wanted / head.width <= LARGER]
        return self._dice.choice(fitting) if wide >= SMALLEST and fitting else None


def _corners(boxes: Any) -> Any:
    import torch

    centre, half = boxes[:, :2], boxes[:, 2:] / 2
    return torch.cat((centre - half, centre + half), 1)


def _paste(image: Any, head: Head, covered: int, box: list[float], others: list[list[float]]) -> list[float] | None:
    """Paste `head` over `box` of `image`, in place, its top at the box's; return its own box.

    None, and nothing done, when it would leave the picture or hide another head.
    """
    from torch.nn.functional import interpolate

    wide = (box[2] - box[0]) * WIDER.get((head.label, covered), 1.0)
    factor = wide / head.width
    high = head.height * factor
    aside, above, _below = AROUND[head.label]
    middle = (box[0] + box[2]) / 2
    rows, columns = (max(2, round(side * factor)) for side in head.pixels.shape[1:])
    x, y = round(middle - wide / 2 - aside * wide), round(box[1] - above * high)
    if x < 0 or y < 0 or x + columns > image.shape[2] or y + rows > image.shape[1]:
        return None
    if any(left < x + columns and right > x and top < y + rows and bottom > y for left, top, right, bottom in others):
        return None
    pixels = interpolate(head.pixels[None], size=(rows, columns), mode="bilinear", antialias=True)[0]
    seen = _mask(rows, columns, pixels)
    under = image[:, y : y + rows, x : x + columns]
    under.copy_(pixels * seen + under * (1 - seen))
    return [middle - wide / 2, box[1], middle + wide / 2, box[1] + high]


def _mask(rows: int, columns: int, like: Any) -> Any:
    """Return how much of the pasted head is seen where: all of it within a rounded box, none at its border."""
    import torch

    down = torch.linspace(-1, 1, rows, dtype=like.dtype, device=like.device).abs()[:, None]
    across = torch.linspace(-1, 1, columns, dtype=like.dtype, device=like.device).abs()[None, :]
    away = (down**3 + across**3) ** (1 / 3)
    return ((1 - away) / 0.2).clamp(0, 1)
