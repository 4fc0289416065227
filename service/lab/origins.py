"""What weights were trained on: told by the dataset's provenance and, for weights that go on from ours, by theirs."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Final

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
    rows = [json.loads(row) for row in provenance.read_text(encoding="utf-8").splitlines()]
    counted = Counter((row["source"], row.get("version"), row["people"]) for row in rows if row["split"] == "train")
    return tuple(
        f"{source}{f' v{version}' if version else ''} train "
        f"({count:,}{'' if people == 'labelled' else f', person boxes {people}'})"
        for (source, version, people), count in sorted(counted.items(), key=str)
    )


def _before(base: Path) -> tuple[str, ...]:
    try:
        manifest = read_manifest(base.parent / "manifest.json")
    except WeightsError:
        return ()
    mine = manifest.files.get("pt")
    return manifest.trained_on if mine and mine.sha256 == hashlib.sha256(base.read_bytes()).hexdigest() else ()
