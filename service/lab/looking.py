"""Look at every picture to judge on: detections, labels and light, kept for all that is counted afterwards."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

from service.lab.boxes import LABELS, Labels, Pair, labelled
from service.lab.by_labels import people_by_labels, upright
from service.lab.counting import Judged
from service.lab.dataset.faults import DatasetError
from service.lab.dataset.layouts import read_export
from service.lab.dataset.prepare import Source
from service.lab.dataset.records import Picture, Split
from service.lab.slices import Light, light
from service.lab.splits import CutPicture, stem
from service.lab.truth import TruthPicture, read_truth
from service.ports import Detector
from service.safety.detections import Detections
from service.safety.thresholds import Thresholds
from service.safety.wearing import sightings

BANDS: Final = ((0.0, 50.0), (50.0, 100.0), (100.0, 200.0), (200.0, math.inf))
"""Height bands in pixels as the model saw the person."""
ACCEPTED_HEIGHT: Final = 100.0
JUDGED: Final[tuple[Split, ...]] = ("valid", "test")
"""What a model is judged on; it may have been trained on the rest."""

Cuts = Mapping[str, Mapping[str, CutPicture]]
"""Per card, the pictures of its valid split by file name; cards without a cut keep their valid whole."""


Ground = Literal["truth", "labels", "nothing"]
"""What people are counted on: person truth, the labels alone, or not at all, because the labels hold no people."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One picture, who is there, and what the detector saw on it.

    Attributes:
        labels: its labels in both readings (`boxes.Labels`).
        scene: pictures of one scene are resampled together; ``<card>/<scene>``.
        path: where the picture lies.
        ground: where `truth` comes from.
    """

    truth: TruthPicture
    detections: Detections
    labels: Mapping[Labels, Detections] = field(default_factory=dict)
    light: Light | None = None
    scene: str = ""
    path: Path | None = None
    ground: Ground = "truth"

    def pair(self, labels: Labels) -> Pair:
        """Return what was seen and what is labelled."""
        return self.detections, self.labels[labels]


Groups = dict[str, list[Seen]]
"""Pictures by ``<card>/<part>``; a part is tune, report, test, or valid where no list cuts it."""


def look(
    detector: Detector,
    source: Source,
    truth: Path | None,
    split: Split,
    on_picture: Callable[[str], None] = lambda _: None,
    only: Container[str] | None = None,
) -> list[Seen]:
    """Detect on every picture of one split that the truth lists.

    Args:
        truth: who is there; without it every picture is looked at, and people are taken from its labels (`by_labels`).
        only: file names of the pictures to look at; without it, all.

    Raises:
        DatasetError: a picture is missing, can't be read, or is not the one that was judged (its sha256 differs).
    """
    seen = []
    for picture, row in _listed(source, truth, split):
        name = picture.path.name
        if only is not None and name not in only:
            continue
        content = picture.path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        if row and truth and sha256 != row.sha256:
            raise DatasetError(picture.path, f"is not the picture that {truth.name} was made from (sha256)")
        image = upright(picture.path, content)
        detections = detector.detect(image)
        height, width = image.shape[:2]
        labels = {reading: labelled(picture, source.card, reading, width, height) for reading in LABELS}
        ground: Ground = "truth" if row else "labels" if source.card.people_labelled else "nothing"
        people = people_by_labels(labels["one convention"]) if ground == "labels" else ()
        there = row or TruthPicture(name, "test" if split == "test" else "valid", sha256, width, height, people)
        scene = f"{source.card.name}/{stem(name)}"
        seen.append(Seen(there, detections, labels, light(image, detections.scale), scene, picture.path, ground))
        on_picture(name)
    return seen


def _listed(source: Source, truth: Path | None, split: Split) -> list[tuple[Picture, TruthPicture | None]]:
    """Return the pictures of a split that are judged, each with its row of the truth, if there is a truth."""
    pictures = [picture for picture in read_export(source.folder) if picture.split == split]
    if truth is None:
        return [(picture, None) for picture in sorted(pictures, key=lambda picture: picture.path.name)]
    named = {picture.path.name: picture for picture in pictures}
    rows = [row for row in read_truth(truth) if row.split == split]
    for row in rows:
        if row.picture not in named:
            raise DatasetError(source.folder, f"lacks the {split} picture {row.picture!r} that {truth.name} lists")
    return [(named[row.picture], row) for row in rows]


def look_at_all(
    detector: Detector,
    sources: list[Source],
    truths: Mapping[str, Path],
    on_picture: Callable[[str], None] = lambda _: None,
    cuts: Cuts | None = None,
    *,
    tune_only: bool = False,
) -> Groups:
    """Detect on every picture of valid and test that has truth, and on all of them of a source without truth.

    Args:
        tune_only: leave report and test unread: to choose between models.

    Raises:
        DatasetError: a source holds nothing to judge on, its cut is of other pictures, or see `look`.
    """
    groups: Groups = {}
    for source in sources:
        name, truth = source.card.name, truths.get(source.card.name)
        cut = (cuts or {}).get(name, {})
        _check(source, truth, cut)
        for split in JUDGED:
            if tune_only and split == "test":
                continue
            cut_here = cut if split == "valid" else {}
            tuned = {picture for picture, row in cut_here.items() if row.part == "tune"}
            only = tuned if tune_only and cut_here else None
            for one in look(detector, source, truth, split, on_picture, only):
                row = cut_here.get(one.truth.picture)
                if row and row.sha256 != one.truth.sha256:
                    raise _not_cut(source.folder, row.picture)
                placed = replace(one, scene=f"{name}/{row.scene}") if row else one
                groups.setdefault(f"{name}/{row.part if row else split}", []).append(placed)
    order = ("tune", "valid", "report", "test")
    names = [source.card.name for source in sources]
    return {f"{n}/{part}": groups[f"{n}/{part}"] for n in names for part in order if f"{n}/{part}" in groups}


def _check(source: Source, truth: Path | None, cut: Mapping[str, CutPicture]) -> None:
    """Refuse a source without pictures to judge on, and a cut that leaves out or mistakes a picture of valid."""
    if truth is not None:
        valid = {row.picture: row.sha256 for row in read_truth(truth) if row.split == "valid"} if cut else {}
    else:  # what the files hold is compared when they are looked at
        pictures = [picture for picture in read_export(source.folder) if picture.split in JUDGED]
        if not pictures:
            raise DatasetError(source.folder, "holds neither a valid nor a test split, so there is nothing to judge on")
        valid = {picture.path.name: "" for picture in pictures if picture.split == "valid"} if cut else {}
    for name, sha256 in valid.items():
        if name not in cut or (sha256 and cut[name].sha256 != sha256):
            raise _not_cut(truth or source.folder, name)


def _not_cut(where: Path, picture: str) -> DatasetError:
    return DatasetError(where, f"{picture} is not in the cut of valid; cut it anew (docs/truth.md)")


def counted(groups: Groups) -> Groups:
    """Return the groups whose people can be counted."""
    return {name: seen for name, seen in groups.items() if seen and seen[0].ground != "nothing"}


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
