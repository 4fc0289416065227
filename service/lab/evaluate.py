"""Measure a model on other people's pictures: box metrics on their labels, and what the job needs, per person."""

from __future__ import annotations

import hashlib
import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from service.detectors.manifest import Kind, read_manifest, read_weights
from service.lab.counting import Judged, Tally, count, tallies
from service.lab.dataset.cards import Card
from service.lab.dataset.faults import DatasetError
from service.lab.dataset.prepare import Source, prepare, read_export
from service.lab.dataset.records import SPLITS, Split
from service.lab.train import go_offline
from service.lab.truth import TruthPicture, read_truth
from service.pictures.decode import PictureLimits, read_picture
from service.ports import Detector
from service.safety.detections import Detections
from service.safety.equipment import CLASSES, EQUIPMENT
from service.safety.thresholds import Thresholds
from service.safety.wearing import sightings

BANDS: Final = ((0.0, 50.0), (50.0, 100.0), (100.0, 200.0), (200.0, math.inf))
"""Height bands in pixels as the model saw the person."""
ACCEPTED_HEIGHT: Final = 100.0
LEAST_RECALL: Final = 0.15
LEAST_PRECISION: Final = 0.9
"""Under one of them, of "missing", a height band is called too small to judge (docs/decisions/0007)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture with truth and what the detector saw on it."""

    truth: TruthPicture
    detections: Detections


Groups = dict[str, list[Seen]]


def look(
    detector: Detector,
    source: Source,
    truth: Path,
    split: Split,
    on_picture: Callable[[str], None] = lambda _: None,
) -> list[Seen]:
    """Detect on every picture of one split that the truth lists.

    Raises:
        DatasetError: a picture is missing or is not the one that was judged (its sha256 differs).
    """
    paths = {picture.path.name: picture.path for picture in read_export(source.folder) if picture.split == split}
    seen = []
    for row in read_truth(truth):
        if row.split != split:
            continue
        if row.picture not in paths:
            raise DatasetError(source.folder, f"lacks the {split} picture {row.picture!r} that {truth.name} lists")
        content = paths[row.picture].read_bytes()
        if hashlib.sha256(content).hexdigest() != row.sha256:
            raise DatasetError(paths[row.picture], f"is not the picture that {truth.name} was made from (sha256)")
        seen.append(Seen(row, detector.detect(read_picture(content, PictureLimits()))))
        on_picture(row.picture)
    return seen


def judge(seen: list[Seen], thresholds: Thresholds) -> list[Judged]:
    """Say who wears what on every picture."""
    return [Judged(one.truth, sightings(one.detections, thresholds), one.detections.scale) for one in seen]


def look_at_all(
    detector: Detector,
    sources: list[Source],
    truths: dict[str, Path],
    on_picture: Callable[[str], None] = lambda _: None,
) -> Groups:
    """Detect on every picture that has truth; groups are named ``<card>/<split>``.

    Raises:
        DatasetError: a source has no truth, or see `look`.
    """
    groups: Groups = {}
    for source in sources:
        if source.card.name not in truths:
            raise DatasetError(source.folder, f"there is no person truth for {source.card.name}")
        for split in SPLITS:
            seen = look(detector, source, truths[source.card.name], split, on_picture)
            if seen:
                groups[f"{source.card.name}/{split}"] = seen
    return groups


def pooled(groups: Groups, split: Split) -> list[Seen]:
    """Return the pictures of one split of all sources together."""
    return [one for name, seen in groups.items() if name.endswith(f"/{split}") for one in seen]


def choose(groups: Groups, start: Thresholds) -> Thresholds:
    """Choose thresholds and minimum heights on the validation pictures of all sources."""
    seen = pooled(groups, "valid")
    open_to_all = start.model_copy(update={"minimum_height": dict.fromkeys(EQUIPMENT, 0.0)})
    chosen = choose_thresholds(seen, open_to_all)
    return chosen.model_copy(update={"minimum_height": least_heights(judge(seen, chosen))})


def measure(
    manifest: Path, sources: list[Source], groups: Groups, thresholds: Thresholds, *, with_boxes: bool = True
) -> dict[str, Any]:
    """Return the whole report as plain data: the model, box metrics, people."""
    weights = read_manifest(manifest)
    kind: Kind = "pt" if "pt" in weights.files else "onnx"
    boxes: dict[str, Any] = {}
    for source in sources if with_boxes else ():
        for split in SPLITS:
            if f"{source.card.name}/{split}" in groups:
                boxes[f"{source.card.name}/{split}"] = box_metrics(manifest, source.card, source.folder, split)
    return {
        "model": {"name": weights.name, "version": weights.version, "file": kind, "sha256": weights.files[kind].sha256},
        "thresholds": thresholds.model_dump(mode="json"),
        "boxes": boxes,
        "people": people_report({**groups, "all/valid": pooled(groups, "valid")}, thresholds),
    }


def people_report(groups: Groups, thresholds: Thresholds) -> dict[str, Any]:
    """Count per person: overall, from the accepted height on, and per height band, each group apart.

    Args:
        groups: pictures by name, such as ``construction-site-safety/valid``.
    """
    report = {}
    for name, seen in groups.items():
        judged = judge(seen, thresholds)
        report[name] = {
            "pictures": len(judged),
            "people": sum(len(one.truth.people) for one in judged),
            "all": tallies(judged),
            "from_100_px": tallies(judged, ACCEPTED_HEIGHT),
            "bands": {_band(*band): tallies(judged, *band) for band in BANDS},
        }
    return report


def _band(least: float, most: float) -> str:
    return f"{least:g}+" if math.isinf(most) else f"{least:g}-{most:g}"


def box_metrics(manifest: Path, card: Card, folder: Path, split: Split, imgsz: int = 640) -> dict[str, float]:
    """Return AP50 and AP50-95 per class of the ``.pt`` on one split, on the publisher's labels as they are.

    Measured by ultralytics' validator (its defaults: confidence from 0.001, IoU 0.7 for suppression).
    """
    go_offline()
    from ultralytics import YOLO

    weights = read_weights(manifest, "pt")
    with tempfile.TemporaryDirectory() as scratch:
        merged = Path(scratch) / "merged"
        as_labelled = card.model_copy(update={"people_labelled": True})
        prepare([Source(as_labelled, folder)], merged, splits=(split,))
        config = merged / "data.yaml"
        images = f"{split}/images"  # the validator asks for train and val whatever is measured
        described = {"train": images, "val": images, "names": dict(enumerate(CLASSES))}
        config.write_text(yaml.safe_dump(described), encoding="utf-8")
        result = YOLO(str(weights.path)).val(
            data=str(config),
            imgsz=imgsz,
            batch=8,
            device="cpu",
            workers=0,
            plots=False,
            verbose=False,
            project=scratch,
            name="val",
        )
    metrics: dict[str, float] = {}
    for position, class_id in enumerate(result.box.ap_class_index):
        metrics[f"AP50 {CLASSES[class_id]}"] = round(float(result.box.ap50[position]), 4)
    present = [metrics[f"AP50 {name}"] for name in CLASSES if f"AP50 {name}" in metrics]
    metrics["AP50 mean"] = round(sum(present) / len(present), 4)
    metrics["AP50-95 mean"] = round(float(result.box.map), 4)
    return metrics


def choose_thresholds(seen: list[Seen], start: Thresholds, precision: float = 0.93) -> Thresholds:
    """Choose the thresholds that find most missing equipment at a stated precision, from the accepted height on.

    One value after the other takes the one on a grid that is worth most (`_worth`) without the precision of either
    equipment falling under `precision`; ties keep the higher threshold. Two rounds, so that late choices reach early
    ones.
    """
    chosen = start
    for _ in range(2):
        for name in ("no-helmet", "helmet", "no-vest", "vest", "person", "inferred"):
            chosen = max(_variants(chosen, name), key=lambda candidate: _worth(seen, candidate, precision))
    return chosen


def _variants(thresholds: Thresholds, name: str) -> Iterator[Thresholds]:
    """Yield `thresholds` with one value changed, from high to low."""
    for percent in (60, 55, 50, 45, 40, 35, 30, 25, 20, 18, 16, 14, 12, 10):
        if name in ("person", "inferred") and percent < 25:
            return  # weaker boxes are rarely people: in a stream they would be ghosts
        if name == "inferred":
            yield thresholds.model_copy(update={"inferred_confidence": percent / 100})
        else:
            yield thresholds.model_copy(update={"confidence": {**thresholds.confidence, name: percent / 100}})


def _worth(seen: list[Seen], thresholds: Thresholds, precision: float) -> float:
    """Return recall of missing plus half the known share of worn, of both; less where alarms are false."""
    judged = judge(seen, thresholds)
    counted: list[Tally] = [count(judged, equipment, ACCEPTED_HEIGHT) for equipment in EQUIPMENT]
    short = sum(max(0.0, precision - one.precision) for one in counted if one.said)
    known = sum(1 - one.worn_unknown / one.worn for one in counted if one.worn)
    return round(sum(one.recall for one in counted if one.missing) + known / 2 - 10 * short, 6)


def least_heights(
    judged: list[Judged], recall: float = LEAST_RECALL, precision: float = LEAST_PRECISION
) -> dict[str, float]:
    """Return, per equipment, the lower edge of the smallest height band from which on both shares are reached."""
    least: dict[str, float] = {}
    for equipment in EQUIPMENT:
        good = BANDS[-1][0]
        for band in reversed(BANDS):
            tally = count(judged, equipment, *band)
            if not tally.missing or tally.recall < recall or (tally.said and tally.precision < precision):
                break
            good = band[0]
        least[equipment] = good
    return least
