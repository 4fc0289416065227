"""Look at every picture of a set once, on two cores, and keep the few numbers that the checks need."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from service.lab.checking import pixels
from service.lab.checking.borders import Borders
from service.lab.dataset.records import SPLITS, LabelledBox, Picture
from service.ports import Image

DONORS: Final = 12
"""Other pictures whose boxes a picture's own are compared with."""
PROCESSES: Final = 2
ALONE: Final = 100
"""Pictures up to which starting other processes costs more than it saves."""

NOISY: Final = 0.01
"""Share of impulses from which a picture counts as noisy."""
LEAST_SIDE: Final = 10
"""Pixels of the shorter side under which training leaves a picture out (``verify_image`` of ultralytics)."""
LONGEST: Final = 100
"""How many times as long as its shorter side a picture may be."""

Boxes = NDArray[np.float64]
Task = TypeVar("Task")
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Look:
    """What one picture is like; the numbers are explained where `pixels` measures them."""

    width: int
    height: int
    digest: str
    """sha256 of the file."""
    blur: float
    impulses: float
    seams: tuple[float, float]
    patches: int
    brightness: float
    colour: float
    fingerprints: tuple[int, int]
    """Of the picture and of its mirror image."""
    embedding: NDArray[np.float32]
    mirrored: NDArray[np.float32]
    """The embedding of the mirror image."""
    fit: float | None
    """Share of comparisons with other pictures' boxes that its own win (`borders`); None without boxes to compare."""


def corners(boxes: Iterable[LabelledBox]) -> Boxes:
    """Return (n, 4) relative x1 y1 x2 y2."""
    return np.array([box.corners for box in boxes], dtype=np.float64).reshape(-1, 4)


def open_picture(path: Path) -> Image | None:
    """Read a picture upright; None where it can't be read."""
    content = _content(path)
    return None if content is None else _decoded(content)


def _content(path: Path) -> bytes | None:
    """Return a file's bytes; None for a link that leads nowhere, a folder, or what may not be read."""
    try:
        return path.read_bytes() if path.is_file() else None
    except OSError:
        return None


def _decoded(content: bytes) -> Image | None:
    try:
        found = cv2.imdecode(np.frombuffer(content, dtype=np.uint8), cv2.IMREAD_COLOR) if content else None
    except cv2.error:  # raised for more pixels than OpenCV takes, where other broken files give None
        return None
    return None if found is None else found.astype(np.uint8, copy=False)


def look_at_all(pictures: Sequence[Picture], on_picture: Callable[[str], None]) -> list[Look | None]:
    """Return what each picture is like, in their order; None for one that can't be read or trained on."""
    boxes = [corners(picture.boxes) for picture in pictures]
    paths = [picture.path for picture in pictures]
    tasks = list(zip(paths, boxes, _donors(pictures, boxes), strict=True))
    looks = []
    with several(len(tasks)) as each:
        for picture, found in zip(pictures, each(_look, tasks), strict=True):
            looks.append(found)
            on_picture(picture.path.name)
    return looks


def _donors(pictures: Sequence[Picture], boxes: Sequence[Boxes]) -> list[list[Boxes]]:
    """Return for each picture the boxes of others of its split, drawn by lot and never of the same base."""
    dice = np.random.default_rng(1)
    labelled = {
        split: [index for index, one in enumerate(pictures) if one.split == split and len(boxes[index])]
        for split in SPLITS
    }
    drawn = []
    for picture in pictures:
        pool = labelled[picture.split]
        picks = dice.choice(pool, 2 * DONORS) if pool else ()
        drawn.append([boxes[pick] for pick in picks if pictures[pick].base != picture.base][:DONORS])
    return drawn


@contextmanager
def several(tasks: int) -> Iterator[Callable[[Callable[[Task], Done], Sequence[Task]], Iterator[Done]]]:
    """Yield a ``map`` that works in other processes where there is enough to do."""
    if tasks <= ALONE:
        yield map
        return
    pool = ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,))
    try:
        yield partial(pool.map, chunksize=8)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _look(task: tuple[Path, Boxes, list[Boxes]]) -> Look | None:
    path, own, donors = task
    content = _content(path)
    image = None if content is None else _decoded(content)
    if content is None or image is None or not _fit_to_train_on(image):
        return None
    height, width = image.shape[:2]
    image = pixels.at_scale(image)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
    turned = np.ascontiguousarray(grey[:, ::-1])
    noise = pixels.impulses(grey)
    calm = cv2.medianBlur(grey, 3).astype(np.uint8, copy=False) if noise > NOISY else grey
    brightness, colour = pixels.light(image)
    return Look(
        width=width,
        height=height,
        digest=hashlib.sha256(content).hexdigest(),
        blur=pixels.blur(calm),
        impulses=noise,
        seams=pixels.seams(grey),
        patches=pixels.patches(image),
        brightness=brightness,
        colour=colour,
        fingerprints=(pixels.fingerprint(grey), pixels.fingerprint(turned)),
        embedding=pixels.embedding(image, grey),
        mirrored=pixels.embedding(np.ascontiguousarray(image[:, ::-1]), turned),
        fit=_fit(image, own, donors),
    )


def _fit_to_train_on(image: Image) -> bool:
    """Return whether a picture is more than a line, of which nothing is left at any size that is looked at."""
    short, long = min(image.shape[:2]), max(image.shape[:2])
    return bool(short >= LEAST_SIDE and long <= LONGEST * short)


def _fit(image: Image, own: Boxes, donors: list[Boxes]) -> float | None:
    borders = Borders(image)
    mine = borders.score(own)
    others = [found[~np.isnan(found)].mean() for found in map(borders.score, donors) if not np.isnan(found).all()]
    if not others or not len(mine) or np.isnan(mine).all():
        return None
    return float(np.mean(mine[~np.isnan(mine)].mean() > np.array(others)))
