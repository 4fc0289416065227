"""Look at every picture that has truth: detections, labels and light, kept for all that is counted afterwards."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from service.lab.boxes import LABELS, Labels, Pair, labelled
from service.lab.counting import Judged
from service.lab.dataset.faults import DatasetError
from service.lab.dataset.prepare import Source, read_export
from service.lab.dataset.records import SPLITS, Split
from service.lab.slices import Light, light
from service.lab.splits import CutPicture, stem
from service.lab.truth import TruthPicture, read_truth
from service.pictures.decode import PictureLimits, read_picture
from service.ports import Detector
from service.safety.detections import Detections
from service.safety.thresholds import Thresholds
from service.safety.wearing import sightings

BANDS: Final = ((0.0, 50.0), (50.0, 100.0), (100.0, 200.0), (200.0, math.inf))
"""Height bands in pixels as the model saw the person."""
ACCEPTED_HEIGHT: Final = 100.0

Cuts = Mapping[str, Mapping[str, CutPicture]]
"""Per card, the pictures of its valid split by file name; cards without a cut keep their valid whole."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One picture with truth and what the detector saw on it.

    Attributes:
        labels: its labels in both readings (`boxes.Labels`).
        scene: pictures of one scene are resampled together; ``<card>/<scene>``.
        path: where the picture lies.
    """

    truth: TruthPicture
    detections: Detections
    labels: Mapping[Labels, Detections] = field(default_factory=dict)
    light: Light | None = None
    scene: str = ""
    path: Path | None = None

    def pair(self, labels: Labels) -> Pair:
        """Return what was seen and what is labelled."""
        return self.detections, self.labels[labels]


Groups = dict[str, list[Seen]]
"""Pictures by ``<card>/<part>``; a part is tune, report, test, or valid where no list cuts it."""


def look(
    detector: Detector,
    source: Source,
    truth: Path,
    split: Split,
    on_picture: Callable[[str], None] = lambda _: None,
    only: Container[str] | None = None,
) -> list[Seen]:
    """Detect on every picture of one split that the truth lists.

    Args:
        only: file names of the pictures to look at; without it, all.

    Raises:
        DatasetError: a picture is missing or is not the one that was judged (its sha256 differs).
    """
    pictures = {picture.path.name: picture for picture in read_export(source.folder) if picture.split == split}
    seen = []
    for row in read_truth(truth):
        if row.split != split or (only is not None and row.picture not in only):
            continue
        if row.picture not in pictures:
            raise DatasetError(source.folder, f"lacks the {split} picture {row.picture!r} that {truth.name} lists")
        picture = pictures[row.picture]
        content = picture.path.read_bytes()
        if hashlib.sha256(content).hexdigest() != row.sha256:
            raise DatasetError(picture.path, f"is not the picture that {truth.name} was made from (sha256)")
        image = read_picture(content, PictureLimits())
        detections = detector.detect(image)
        height, width = image.shape[:2]
        labels = {reading: labelled(picture, source.card, reading, width, height) for reading in LABELS}
        scene = f"{source.card.name}/{stem(row.picture)}"
        seen.append(Seen(row, detections, labels, light(image, detections.scale), scene, picture.path))
        on_picture(row.picture)
    return seen


def look_at_all(
    detector: Detector,
    sources: list[Source],
    truths: Mapping[str, Path],
    on_picture: Callable[[str], None] = lambda _: None,
    cuts: Cuts | None = None,
    *,
    tune_only: bool = False,
) -> Groups:
    """Detect on every picture that has truth.

    Args:
        tune_only: leave report and test unread: to choose between models.

    Raises:
        DatasetError: a source has no truth, its cut is of other pictures than its truth, or see `look`.
    """
    groups: Groups = {}
    for source in sources:
        name = source.card.name
        if name not in truths:
            raise DatasetError(source.folder, f"there is no person truth for {name}")
        cut = (cuts or {}).get(name, {})
        _check(truths[name], cut)
        for split in SPLITS:
            if tune_only and split == "test":
                continue
            cut_here = cut if split == "valid" else {}
            tuned = {picture for picture, row in cut_here.items() if row.part == "tune"}
            only = tuned if tune_only and cut_here else None
            for one in look(detector, source, truths[name], split, on_picture, only):
                row = cut_here.get(one.truth.picture)
                placed = replace(one, scene=f"{name}/{row.scene}") if row else one
                groups.setdefault(f"{name}/{row.part if row else split}", []).append(placed)
    order = ("tune", "valid", "report", "test", "train")
    names = [source.card.name for source in sources]
    return {f"{n}/{part}": groups[f"{n}/{part}"] for n in names for part in order if f"{n}/{part}" in groups}


def _check(truth: Path, cut: Mapping[str, CutPicture]) -> None:
    """Refuse a cut that leaves out a picture of valid, or means another one by its name."""
    if cut:
        for row in read_truth(truth):
            if row.split == "valid" and (row.picture not in cut or cut[row.picture].sha256 != row.sha256):
                raise DatasetError(truth, f"{row.picture} is not in the cut of valid; cut it anew (docs/truth.md)")


def judge(seen: list[Seen], thresholds: Thresholds) -> list[Judged]:
    """Say who wears what on every picture."""
    return [Judged(one.truth, sightings(one.detections, thresholds), one.detections.scale, one.light) for one in seen]


def pooled(groups: Groups, *parts: str) -> list[Seen]:
    """Return the pictures of some parts of all sources together."""
    return [one for name, seen in groups.items() if name.rpartition("/")[2] in parts for one in seen]


def pools(groups: Groups) -> Groups:
    """Return what is counted over all sources: all that tunes, all that reports, and everything together."""
    made = {
        "all/tune": pooled(groups, "tune", "valid"),
        "all/report": pooled(groups, "report"),
        "all/valid+test": pooled(groups, "tune", "valid", "report", "test"),
    }
    found = {name: seen for name, seen in made.items() if seen}
    if len(found) > 1 and len(found["all/valid+test"]) == len(found.get("all/tune", [])):
        del found["all/valid+test"]
    return found
