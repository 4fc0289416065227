"""Say in a report on what grounds people were counted, where that is not person truth."""

from __future__ import annotations

from typing import Any

from service.lab import report
from service.safety.equipment import EQUIPMENT


def told(found: dict[str, Any]) -> str:
    """Return a paragraph a source that has no person truth; nothing where all have it.

    Args:
        found: what `evaluate.measure` measured.
    """
    says = {"labels": _by_labels, "nothing": _uncounted}
    return "\n\n".join(says[ground](found, name) for name, ground in found["people_from"].items() if ground in says)


def page(found: dict[str, Any]) -> str:
    """Return the report as Markdown, with what is told about its grounds before everything else."""
    head, separator, rest = report.markdown(found).partition("\n\n")
    note = told(found)
    return f"{head}{separator}{note}{separator}{rest}" if note else f"{head}{separator}{rest}"


def _by_labels(found: dict[str, Any], name: str) -> str:
    parts = [group for key, group in found["people"].items() if key.rpartition("/")[0] == name]
    people = sum(part["people"] for part in parts)
    undecided = " and ".join(
        f"{sum(part['all'][equipment]['not_judgeable'] for part in parts)} of {people}"
        f"{' people' if equipment == EQUIPMENT[0] else ''} for {equipment}s"
        for equipment in EQUIPMENT
    )
    return f"""\
**{name} has no person truth.** Its people are counted from its labels alone, as far as the product's own association of
labels with people settles who wears what; it does not for {undecided}. They are not judgeable and count nowhere.
What labels and association get wrong shows in no figure: `ppe dataset truth` lists whom to look at (docs/truth.md)."""


def _uncounted(_found: dict[str, Any], name: str) -> str:
    return f"""\
**{name} labels no people and has no person truth.** So its people are not counted; only its boxes are measured."""
