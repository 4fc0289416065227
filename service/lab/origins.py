"""What weights were trained on: told by the dataset's provenance and, for weights that go on from ours, by theirs."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from service.detectors.manifest import WeightsError, read_manifest

UNKNOWN: Final = "a dataset without provenance.jsonl"


def origins(data: Path, base: Path) -> tuple[str, ...]:
    """Return what a model trained on `data`, begun from `base`, has seen: sentences that begin with a source's name.

    Args:
        data: a prepared dataset's ``data.yaml``.
        base: the weights it begins with. What the manifest in their folder says they saw is told too, if it is theirs.
    """
    seen = _of(data.parent / "provenance.jsonl")
    names = {told.split(" ")[0] for told in seen}
    return (*seen, *(f"{told}, by its base" for told in _before(base) if told.split(" ")[0] not in names))


def _of(provenance: Path) -> tuple[str, ...]:
    if not provenance.is_file():
        return (UNKNOWN,)
    pictures: Counter[tuple[str, ...]] = Counter()
    boxes: Counter[tuple[str, ...]] = Counter()
    for line in provenance.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["split"] == "train":
            key = (row["source"], row.get("version") or "", row["people"], _completed_by(row))
            pictures[key] += 1
            boxes[key] += row.get("labels_added", 0)
    return tuple(_sentence(key, count, boxes[key]) for key, count in sorted(pictures.items()))


def _completed_by(row: Mapping[str, Any]) -> str:
    """Return which weights added boxes that labellers left out; nothing where none may have."""
    by = row.get("labels_from")
    if by:
        return f"{by['file']}, sha256 {by['sha256']}"
    return "weights that were not kept" if row.get("labels_added") else ""


def _sentence(key: tuple[str, ...], pictures: int, boxes: int) -> str:
    source, version, people, by = key
    told = [f"{pictures:,}"]
    told += [f"person boxes {people}"] if people != "labelled" else []
    told += [f"{boxes:,} boxes added by {by}"] if by else []
    return f"{source}{f' v{version}' if version else ''} train ({', '.join(told)})"


def _before(base: Path) -> tuple[str, ...]:
    try:
        manifest = read_manifest(base.parent / "manifest.json")
    except WeightsError:
        return ()
    mine = manifest.files.get("pt")
    return manifest.trained_on if mine and mine.sha256 == hashlib.sha256(base.read_bytes()).hexdigest() else ()
