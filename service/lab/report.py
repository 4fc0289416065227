"""An evaluation as a page of Markdown."""

from __future__ import annotations

from typing import Any, Final

from service.safety.equipment import CLASSES, EQUIPMENT

_COUNTS: Final = (
    "missing", "true_positive", "false_positive", "missed_said_worn", "missed_unknown", "missed_not_found", "worn",
    "not_judgeable",
)  # fmt: skip
_SCOPES: Final = (("all", "everybody"), ("from_100_px", "from 100 px"))


def markdown(found: dict[str, Any]) -> str:
    """Return the report that `evaluate.measure` measured as Markdown."""
    model = found["model"]
    lines = [
        f"# Evaluation of {model['name']} {model['version']}",
        "",
        f"sha256 of the .{model['file']}: `{model['sha256']}`. Made by `ppe evaluate`.",
        "",
        "Thresholds: "
        + ", ".join(f"{name} {value:g}" for name, value in found["thresholds"]["confidence"].items())
        + ".",
        "Minimum heights in pixels as the model sees a person: "
        + ", ".join(f"{name} {value:g}" for name, value in found["thresholds"]["minimum_height"].items())
        + ".",
        "",
    ]
    if found["boxes"]:
        lines += _boxes(found["boxes"])
    lines += _people(found["people"])
    return "\n".join(lines) + "\n"


def _boxes(boxes: dict[str, dict[str, float]]) -> list[str]:
    lines = ["## Boxes: AP50 at 640 on the publishers' labels as they are", ""]
    lines += _row("pictures", "mean of five", *CLASSES, "AP50-95 mean") + _rule(len(CLASSES) + 3)
    for name, metrics in boxes.items():
        values = [metrics.get(f"AP50 {key}") for key in ("mean", *CLASSES)] + [metrics["AP50-95 mean"]]
        lines += _row(name, *("-" if value is None else f"{value:.3f}" for value in values))
    return [*lines, ""]


def _people(people: dict[str, Any]) -> list[str]:
    lines = [
        "## People: was missing equipment called missing?",
        "",
        "n missing = people who truly lack it. Shares with 95 % Wilson intervals. A miss is said worn, said unknown or",
        "not found; a false alarm is about somebody who wears it or is not there. Heights as the model sees a person.",
        "",
    ]
    head = ["pictures", "who", "equipment", *(name.replace("_", " ") for name in _COUNTS)]
    head += ["precision", "recall", "unknown of missing", "unknown of worn"]
    lines += _row(*head) + _rule(len(head))
    for name, group in people.items():
        for key, scope in (*_SCOPES, *((band, f"{band} px") for band in group["bands"])):
            tallies = group[key] if key in group else group["bands"][key]
            for equipment in EQUIPMENT:
                lines += _row(name, scope, equipment, *_cells(tallies[equipment]))
    return [*lines, ""]


def _cells(tally: dict[str, Any]) -> list[str]:
    cells = [str(tally[name]) for name in _COUNTS]
    for share in ("precision", "recall"):
        low, high = tally[f"{share}_95"]
        cells.append("-" if tally[share] is None else f"{tally[share]:.2f} ({low:.2f} to {high:.2f})")
    unknown = (tally["unknown_among_missing"], tally["unknown_among_worn"])
    return [*cells, *("-" if share is None else f"{share:.2f}" for share in unknown)]


def _row(*cells: object) -> list[str]:
    return ["| " + " | ".join(str(cell) for cell in cells) + " |"]


def _rule(columns: int) -> list[str]:
    return ["|" + "---|" * columns]
