"""Show pictures of rare classes more often: repeat-factor sampling.

Source: Gupta, Dollar, Girshick, "LVIS: A Dataset for Large Vocabulary Instance Segmentation", CVPR 2019, section 5.2:
a class in a share f of the pictures has the factor max(1, sqrt(t / f)), a picture the greatest of its classes' factors.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from pathlib import Path

from service.lab.dataset.records import PICTURE_SUFFIXES


def repeated(split: Path, share: float, seed: int) -> list[Path]:
    """Return the pictures of a prepared split, those with classes rarer than `share` more than once.

    Args:
        split: folder with ``images`` and ``labels``.
        share: t of the paper, a share of the pictures (0 repeats nothing).
        seed: decides which pictures get the repeat that a factor's fraction stands for.
    """
    pictures = sorted(path for path in (split / "images").iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    classes = {picture: _classes(split / "labels" / f"{picture.stem}.txt") for picture in pictures}
    seen = Counter(name for names in classes.values() for name in names)
    factor = {name: max(1.0, math.sqrt(share * len(pictures) / count)) for name, count in seen.items()}
    dice = random.Random(seed)  # noqa: S311 - no secret
    chosen = []
    for picture in pictures:
        wanted = max((factor[name] for name in classes[picture]), default=1.0)
        chosen += [picture] * (int(wanted) + (dice.random() < wanted % 1))
    return chosen


def _classes(labels: Path) -> set[str]:
    return {row.split()[0] for row in labels.read_text(encoding="utf-8").splitlines() if row.strip()}
