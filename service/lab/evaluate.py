"""Measure a model on other people's pictures: box metrics on their labels, and what the job needs, per person."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from service.detectors.manifest import Kind, read_manifest, read_weights
from service.lab.bootstrap import differences, figures
from service.lab.boxes import LABELS, average_precision, confusion, curve, hits
from service.lab.calibration import reliability
from service.lab.counting import people_found, tallies
from service.lab.dataset.cards import Card
from service.lab.dataset.prepare import Source, prepare
from service.lab.dataset.records import Split
from service.lab.faint import FaintPt, open_faint
from service.lab.looking import ACCEPTED_HEIGHT, BANDS, Groups, Seen, counted, judge, look_at_all, pooled, pools
from service.lab.origins import UNKNOWN
from service.lab.precision import cpu_has_bf16
from service.lab.slices import SLICES
from service.lab.train import go_offline
from service.ports import Detector
from service.safety.equipment import CLASSES
from service.safety.thresholds import Thresholds

ULTRALYTICS: Final = ".pt, ultralytics' own validator"


def measure(
    manifest: Path,
    sources: list[Source],
    groups: Groups,
    thresholds: Thresholds,
    *,
    served: Groups | None = None,
    with_boxes: bool = True,
) -> dict[str, Any]:
    """Return the report as plain data: the model and what it was trained on, box metrics, calibration, people.

    Args:
        groups: what one look at each picture showed.
        served: what the service sees on the same pictures: with its second look.
    """
    weights = read_manifest(manifest)
    kind: Kind = "onnx" if "onnx" in weights.files else "pt"
    everything = {**groups, **pools(groups)}
    people, as_served = ({**one, **pools(one)} for one in (counted(groups), counted(served or {})))
    boxes = {name: box_report(seen, thresholds) for name, seen in everything.items()} if with_boxes else {}
    return {
        "model": {"name": weights.name, "version": weights.version, "file": kind, "sha256": weights.files[kind].sha256},
        "trained_on": trained_on(weights.trained_on, sources),
        "thresholds": thresholds.model_dump(mode="json"),
        "boxes": boxes,
        "people_from": {name.rpartition("/")[0]: seen[0].ground for name, seen in groups.items() if seen},
        "people": people_report(people, thresholds),
        **({"served": people_report(as_served, thresholds)} if served else {}),
    }


def trained_on(told: tuple[str, ...], sources: list[Source]) -> dict[str, list[str]]:
    """Return, per evaluated source, what of the manifest's ``trained_on`` speaks of it.

    Where nothing does, the model never saw that source in training, and its figures there are cross-source figures.
    """
    names = [source.card.name for source in sources]
    return {name: [one for one in told if one.split(" ")[0] == name or one == UNKNOWN] for name in names}


def box_report(seen: list[Seen], thresholds: Thresholds) -> dict[str, Any]:
    """Return average precision in both readings of the labels; curves, confusion and calibration on one convention.

    Curves hold the interpolated precision at recall 0, 0.01 ... 1 per class that is labelled.
    """
    pairs = [one.pair("one convention") for one in seen]
    found = {name: hits(pairs, number) for number, name in enumerate(CLASSES)}
    curves = {name: curve(one) for name, one in found.items()}
    return {
        "ap": {labels: average_precision([one.pair(labels) for one in seen]) for labels in LABELS},
        "curves": {
            name: [round(float(value), 4) for value in one] for name, one in curves.items() if not np.isnan(one).any()
        },
        "confusion": confusion(pairs, thresholds),
        "calibration": {  # of a class that nobody labelled every box would be wrong
            name: reliability(one).as_json() if one.labels.any() else {"error": None, "bins": []}
            for name, one in found.items()
        },
    }


def people_report(groups: Groups, thresholds: Thresholds) -> dict[str, Any]:
    """Count per person: overall, from the accepted height on, per height band, and per slice from that height on.

    Args:
        groups: pictures by name, such as ``construction-site-safety/tune``.
    """
    report = {}
    for name, seen in groups.items():
        judged = judge(seen, thresholds)
        report[name] = {
            "pictures": len(judged),
            "scenes": len({one.scene for one in seen}),
            "people": sum(len(one.truth.people) for one in judged),
            "found": {
                "all": people_found(judged),
                "from_100_px": people_found(judged, ACCEPTED_HEIGHT),
                **{_band(*band): people_found(judged, *band) for band in BANDS},
            },
            "all": tallies(judged),
            "from_100_px": tallies(judged, ACCEPTED_HEIGHT),
            "bands": {_band(*band): tallies(judged, *band) for band in BANDS},
            "slices": {
                what: {
                    **tallies(judged, ACCEPTED_HEIGHT, where=where),
                    "found": people_found(judged, ACCEPTED_HEIGHT, where=where),
                }
                for what, where in SLICES.items()
            },
        }
    return report


def _band(least: float, most: float) -> str:
    return f"{least:g}+" if np.isinf(most) else f"{least:g}-{most:g}"


def compare(groups: Groups, thresholds: Thresholds, other: Groups, other_thresholds: Thresholds) -> dict[str, Any]:
    """Compare two models on the pictures that tune, all sources together and each apart (`bootstrap`).

    Sources whose people can't be counted have no part in it.
    """
    groups, other = counted(groups), counted(other)
    pairs = {"all/tune": (pooled(groups, "tune", "valid"), pooled(other, "tune", "valid"))}
    for name, seen in groups.items():
        if name.endswith(("/tune", "/valid")):
            pairs[name] = (seen, other[name])
    return {
        name: {
            figure: asdict(found)
            for figure, found in differences(
                figures(mine, thresholds), figures(theirs, other_thresholds), [one.scene for one in mine]
            ).items()
        }
        for name, (mine, theirs) in pairs.items()
        if mine
    }


def parity(
    manifest: Path,
    sources: list[Source],
    truths: Mapping[str, Path],
    *,
    with_pt: bool = True,
    on_picture: Callable[[str], None] = lambda _: None,
) -> dict[str, dict[str, dict[str, float]]]:
    """Return average precision per arithmetic and split, on the publishers' labels: does the export lose anything?

    The graph runs in float32, and in bfloat16 where this CPU has it; the ``.pt`` with the service's own letterboxing
    and suppression; and in ultralytics' validator, which suppresses at IoU 0.7 and lets a place be of several classes.

    Raises:
        ModuleNotFoundError: `with_pt`, and the extra ``train`` is not installed.
    """
    runs: dict[str, Callable[[], Detector]] = {"ONNX, float32": lambda: open_faint(manifest, "f32")}
    if cpu_has_bf16():
        runs["ONNX, bfloat16"] = lambda: open_faint(manifest, "bf16")
    if with_pt:
        runs[".pt, float32"] = lambda: FaintPt(manifest)
    table: dict[str, dict[str, dict[str, float]]] = {}
    groups: Groups = {}
    for name, opened in runs.items():
        detector = opened()
        groups = look_at_all(detector, sources, truths, on_picture)
        detector.close()
        table[name] = {
            group: average_precision([one.pair("published") for one in seen]) for group, seen in groups.items()
        }
    if with_pt:
        cards = {source.card.name: source for source in sources}
        table[ULTRALYTICS] = {}
        for group in groups:
            card, _, split = group.rpartition("/")
            source = cards[card]
            table[ULTRALYTICS][group] = box_metrics(manifest, source.card, source.folder, split)  # type: ignore[arg-type]
    return table


def box_metrics(manifest: Path, card: Card, folder: Path, split: Split, imgsz: int = 640) -> dict[str, float]:
    """Return AP50 and AP50-95 per class of the ``.pt`` on one split, on the publisher's labels as they are.

    Measured by ultralytics' validator (its defaults: confidence from 0.001, IoU 0.7 for suppression). The card's
    ``box_heights`` are left out, whatever `prepare` does for training.
    """
    go_offline()
    from ultralytics import YOLO

    weights = read_weights(manifest, "pt")
    with tempfile.TemporaryDirectory() as scratch:
        merged = Path(scratch) / "merged"
        as_labelled = card.as_published().model_copy(update={"people_labelled": True})
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
