"""Drawn building sites: people with heads and torsos before textured backgrounds, as a YOLO export.

A set drawn with the defaults is clean; the tests plant one fault each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from service.lab.dataset.cards import Card
from service.ports import Image

SIDE = 480
NAMES = ("Hard Hat", "Bare Head", "Hi-Vis", "Plain Shirt", "Worker", "Crane")
CARD = Card(
    name="drawn",
    title="Drawn sites",
    publisher="a test",
    version="1",
    licence="none",
    how_to_get="run the test",
    people_labelled=True,
    labels={
        "Hard Hat": "helmet",
        "Bare Head": "no-helmet",
        "Hi-Vis": "vest",
        "Plain Shirt": "no-vest",
        "Worker": "person",
    },
)
Row = tuple[int, float, float, float, float]
"""Class id and relative x1 y1 x2 y2."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One drawn picture and its labels."""

    image: Image
    rows: tuple[Row, ...]


def background(dice: np.random.Generator, side: int = SIDE) -> Image:
    """Return a texture of its own kind: coarse colours, fine grain, scattered shapes."""
    image = np.full((side, side, 3), 128.0, np.float32)
    for cells, strength in ((3, 60), (7, 30), (31, 12), (side // 2, 8)):
        coarse = dice.normal(0, strength, (cells, cells, 3)).astype(np.float32)
        image += cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    for _ in range(12):
        centre = tuple(int(value) for value in dice.integers(0, side, 2))
        axes = tuple(int(value) for value in dice.integers(8, 60, 2))
        colour = tuple(float(value) for value in dice.uniform(60, 200, 3))
        cv2.ellipse(image, centre, axes, float(dice.uniform(0, 180)), 0, 360, colour, 2)
    return image.clip(40, 215).astype(np.uint8)


def draw(dice: np.random.Generator, *, upper: bool = False, scene: Image | None = None) -> Drawn:
    """Draw two or three people, whole, or cut at the waist by the lower border."""
    image = background(dice) if scene is None else scene.copy()
    rows: list[Row] = []
    count = int(dice.integers(2, 4))
    for place in range(count):
        height = float(dice.uniform(0.7, 0.85) if upper else dice.uniform(0.5, 0.75)) * SIDE
        height = 2 * height if upper else height
        left = (place + float(dice.uniform(0.15, 0.25))) * SIDE / count
        top = float(dice.uniform(0.1, 0.2)) * SIDE if upper else SIDE - height - float(dice.uniform(0.05, 0.2)) * SIDE
        rows += _person(image, dice, left, top, 0.28 * height if not upper else 0.2 * height, height)
    grain = dice.integers(-10, 11, image.shape, dtype=np.int16)
    return Drawn((image + grain).clip(0, 255).astype(np.uint8), tuple(rows))


def _person(image: Image, dice: np.random.Generator, x: float, y: float, width: float, height: float) -> list[Row]:
    helmet, vest = bool(dice.random() < 0.5), bool(dice.random() < 0.5)
    centre, head = x + width / 2, 0.15 * height

    def block(x1: float, y1: float, x2: float, y2: float, colour: tuple[int, int, int]) -> None:
        cv2.rectangle(image, (round(x1), round(y1)), (round(x2), round(y2)), colour, -1)

    trousers = tuple(int(value) for value in dice.integers(50, 110, 3))
    shirt = tuple(int(value) for value in dice.integers(80, 200, 3))
    for side in (0.12, 0.55):
        block(x + side * width, y + 0.5 * height, x + (side + 0.33) * width, y + height, trousers)
    top, bottom = y + 0.15 * height, y + 0.55 * height
    block(x, top, x + width, bottom, (60, 240, 230) if vest else shirt)
    for band in (0.4, 0.7) if vest else ():
        at = top + band * (bottom - top)
        block(x, at, x + width, at + 0.02 * height, (250, 250, 250))
    middle, axes = (round(centre), round(y + head / 2)), (round(0.36 * head), round(0.5 * head))
    cv2.ellipse(image, middle, axes, 0, 0, 360, (140, 170, 220), -1)
    shell = 0.66 * head
    if helmet:
        cv2.ellipse(
            image,
            (round(centre), round(y + shell)),
            (round(0.45 * head), round(shell)),
            0,
            180,
            360,
            (30, 200, 250),
            -1,
        )
        hat = (centre - 0.45 * head, y, centre + 0.45 * head, y + shell)
    else:
        cv2.ellipse(image, middle, axes, 0, 180, 360, (50, 60, 80), -1)
        hat = (centre - 0.36 * head, y, centre + 0.36 * head, y + head)
    boxes = [
        (0 if helmet else 1, *hat),
        (2 if vest else 3, x, top, x + width, bottom),
        (4, x, y, x + width, y + height),
    ]
    return [(id_, *(min(max(value / SIDE, 0.0), 1.0) for value in box)) for id_, *box in boxes]


def write_set(
    folder: Path,
    *,
    train: int = 28,
    valid: int = 20,
    seed: int = 1,
    one: Callable[[np.random.Generator], Drawn] = draw,
) -> Path:
    """Write a YOLO export of drawn pictures."""
    dice = np.random.default_rng(seed)
    for split, count in (("train", train), ("valid", valid)):
        for number in range(count):
            drawn = one(dice)
            write(folder, split, f"{split}_{number:03d}", drawn)
    described = f"train: ../train/images\nval: ../valid/images\nnc: {len(NAMES)}\nnames: [{', '.join(NAMES)}]\n"
    (folder / "data.yaml").write_text(described, encoding="utf-8")
    return folder


def write(folder: Path, split: str, name: str, drawn: Drawn) -> Path:
    """Write one picture and its labels."""
    picture = folder / split / "images" / f"{name}.jpg"
    picture.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(picture), drawn.image, [cv2.IMWRITE_JPEG_QUALITY, 92])
    rows_of(picture).parent.mkdir(exist_ok=True)
    rows_of(picture).write_text("".join(map(_row, drawn.rows)), encoding="utf-8")
    return picture


def _row(row: Row) -> str:
    id_, x1, y1, x2, y2 = row
    return f"{id_} {(x1 + x2) / 2:.6f} {(y1 + y2) / 2:.6f} {x2 - x1:.6f} {y2 - y1:.6f}\n"


def pictures(folder: Path, split: str = "*") -> list[Path]:
    """List a set's pictures."""
    return sorted(folder.glob(f"{split}/images/*.jpg"))


def rows_of(picture: Path) -> Path:
    """Return a picture's label file."""
    return picture.parent.parent / "labels" / f"{picture.stem}.txt"


def repaint(folder: Path, paint: Callable[[Image], Image], split: str = "*") -> None:
    """Change every picture, keep the labels."""
    for path in pictures(folder, split):
        image = cv2.imread(str(path))
        assert image is not None
        cv2.imwrite(str(path), paint(image.astype(np.uint8, copy=False)), [cv2.IMWRITE_JPEG_QUALITY, 95])


def rewrite(folder: Path, change: Callable[[list[list[str]]], list[list[str]]], split: str = "*") -> None:
    """Change the cells of every label file."""
    for path in map(rows_of, pictures(folder, split)):
        cells = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
        path.write_text("".join(" ".join(row) + "\n" for row in change(cells)), encoding="utf-8")
