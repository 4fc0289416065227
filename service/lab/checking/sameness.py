"""Do two pictures show the same? Local features that one homography maps from one to the other say so, or `unmoved`.

Source: Rublee et al., "ORB: an efficient alternative to SIFT or SURF", ICCV 2011; Lowe's ratio test, IJCV 2004. The
second picture is tried mirrored too, because mirroring is the commonest augmentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from service.lab.checking.looking import open_picture, several
from service.lab.checking.pixels import at_scale
from service.lab.checking.unmoved import Cells, cells, unmoved

FEATURES: Final = 600
AGREE: Final = 25
"""Features that must agree on one homography."""
AGREE_SHARE: Final = 0.35
"""And their share of all features that found a partner."""
_RATIO: Final = 0.75
_PIXELS: Final = 4.0

Features = tuple[NDArray[np.float32], NDArray[np.uint8]]
Pair = tuple[Path, Path]
Same = Callable[[Sequence[Pair]], list[bool]]
"""Tells for each pair of pictures whether they show the same scene from the same place."""


@contextmanager
def comparing(pictures: int, on_pair: Callable[[str], None] = lambda _: None) -> Iterator[Same]:
    """Yield what compares pairs of so many pictures; a pair asked again is not compared again."""
    known: dict[Pair, bool] = {}
    _traits.cache_clear()  # another file may stand by now where one was read before
    with several(pictures) as each:

        def same(pairs: Sequence[Pair]) -> list[bool]:
            new = [pair for pair in dict.fromkeys(pairs) if pair not in known]
            for pair, alike in zip(new, each(_alike, new), strict=True):
                known[pair] = alike
                on_pair(pair[0].name)
            return [known[pair] for pair in pairs]

        yield same


def _alike(pair: Pair) -> bool:
    one = _traits(pair[0], False)
    for mirrored in (False, True):
        other = _traits(pair[1], mirrored)
        if one and other and (unmoved(one.cells, other.cells) or _agree(one.features, other.features)):
            return True
    return False


@dataclass(frozen=True, slots=True, eq=False)
class _Traits:
    """What of a picture is compared."""

    features: Features | None
    cells: Cells


@lru_cache(maxsize=256)
def _traits(path: Path, mirrored: bool) -> _Traits | None:
    image = open_picture(path)
    if image is None:
        return None
    grey: Any = cv2.cvtColor(at_scale(image), cv2.COLOR_BGR2GRAY)
    grey = cv2.flip(grey, 1) if mirrored else grey
    return _Traits(_features(grey), cells(grey))


def _features(grey: Any) -> Features | None:
    points, found = cv2.ORB_create(nfeatures=FEATURES).detectAndCompute(grey, None)  # type: ignore[attr-defined]
    if found is None or len(points) < AGREE:
        return None
    return np.array([point.pt for point in points], dtype=np.float32), found


def _agree(one: Features | None, other: Features | None) -> bool:
    if one is None or other is None:
        return False
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(one[1], other[1], k=2)
    good = [pair[0] for pair in pairs if len(pair) == 2 and pair[0].distance < _RATIO * pair[1].distance]
    if len(good) < AGREE:
        return False
    here = one[0][[match.queryIdx for match in good]]
    there = other[0][[match.trainIdx for match in good]]
    cv2.setRNGSeed(1)
    mapping, inliers = cv2.findHomography(here, there, cv2.RANSAC, _PIXELS)
    if mapping is None:
        return False
    agreed = int(inliers.sum())
    size = abs(float(np.linalg.det(mapping[:2, :2])))  # a mapping that crushes the picture into a line proves nothing
    return agreed >= AGREE and agreed >= AGREE_SHARE * len(good) and 0.1 < size < 10
