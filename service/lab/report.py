"""An evaluation as a page of Markdown and as JSON; neither holds a picture."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from service.safety.equipment import CLASSES, EQUIPMENT

Rows = list[list[object]]
_COUNTS: Final = (
    "missing", "true_positive", "false_positive", "missed_said_worn", "missed_unknown", "missed_not_found", "worn",
    "not_judgeable",
)  # fmt: skip
PEOPLE_HEAD: Final = (
    "pictures", "who", "equipment", *(name.replace("_", " ") for name in _COUNTS), "precision", "recall",
    "unknown of missing", "unknown of worn",
)  # fmt: skip
FOUND_HEAD: Final = ("pictures", "who", "people", "not found", "share not found", "something unknown", "nobody there")
AP_HEAD: Final = ("pictures", "labels", "mean of five", *CLASSES, "AP50-95 mean")
PARITY_HEAD: Final = ("arithmetic", "pictures", "mean of five", *CLASSES, "AP50-95 mean")
ERROR_HEAD: Final = ("pictures", *CLASSES)
AGAINST_HEAD: Final = ("pictures", "figure", "this", "other", "difference", "95 % interval", "scenes")
TRAINED_HEAD: Final = ("evaluated source", "trained on, says the manifest", "figures on it are")

AP_TEXT: Final = """\
Of the ONNX graph in the service's own detector, with boxes from a confidence of 0.001 on. Labels in two readings: with
heads brought to one convention, as in training (a card's box_heights), and as their publishers drew them."""
PARITY_TEXT: Final = """\
AP50 on the publishers' labels. The validator of ultralytics suppresses at IoU 0.7, not 0.6, and lets one place be of
several classes, which the service does not: its figures differ for that reason, not by what the export lost."""
ERROR_TEXT: Final = """\
Mean gap between confidence and the share of boxes that hit a label (IoU 0.5, one convention), of boxes from 0.05 on."""
CONFUSION_TEXT: Final = """\
Rows are labels, columns what was seen there at the thresholds above (IoU 0.5, one convention)."""
PEOPLE_TEXT: Final = """\
n missing = people who truly lack it. Shares with 95 % Wilson intervals. A miss is said worn, said unknown or
not found; a false alarm is about somebody who wears it or is not there. Heights as the model sees a person. Each
picture is looked at once, as a whole."""
SERVED_TEXT: Final = """\
The same with the second look (docs/wearing.md), as the API and the cameras see people."""
FOUND_TEXT: Final = """\
People whom no sighting finds (IoU 0.5), whatever they wear; found people of whom something is unknown; sightings of
nobody."""
SLICES_TEXT: Final = """\
Of people from 100 px. Dark and blurred are told from pixels alone: little light, few edges (dark clothes and smooth
walls are among them)."""
AGAINST_TEXT: Final = """\
On the pictures that tune, people from 100 px, each model with its own thresholds. Positive: this model is better.
Scenes were drawn again 1,000 times, the same for both; an interval that holds 0 shows no difference. Where fewer than
10 scenes bear on a figure there is none."""


def as_json(found: dict[str, Any]) -> str:
    """Return the report as JSON; what holds only numbers and words stands on one line."""
    text = json.dumps(found, indent=2)
    for pattern in (r"\[[-\d.,\s]+\]", r"\{[^{}]+\}"):
        text = re.sub(pattern, lambda flat: " ".join(flat[0].split()), text)
    return text + "\n"


def markdown(found: dict[str, Any]) -> str:
    """Return the report that `evaluate.measure` measured as Markdown."""
    model = found["model"]
    lines = [
        f"# Evaluation of {model['name']} {model['version']}",
        "",
        f"sha256 of the .{model['file']}: `{model['sha256']}`. Made by `ppe evaluate`.",
        "",
        *thresholds(found),
        "",
        *_table(TRAINED_HEAD, trained_rows(found)),
    ]
    if found["boxes"]:
        lines += ["## Boxes: AP50 at 640", "", AP_TEXT, "", *_table(AP_HEAD, ap_rows(found))]
    if found.get("parity"):
        lines += ["## Parity", "", PARITY_TEXT, "", *_table(PARITY_HEAD, parity_rows(found))]
    if found["boxes"]:
        lines += ["## Calibration: expected calibration error", "", ERROR_TEXT, ""]
        lines += _table(ERROR_HEAD, error_rows(found))
        lines += ["## Confusion", "", CONFUSION_TEXT, ""]
        for name in pooled(found["boxes"]):
            lines += _table((name, *CLASSES, "nothing"), confusion_rows(found["boxes"][name]["confusion"]))
    lines += ["## People: was missing equipment called missing?", "", PEOPLE_TEXT, ""]
    lines += _table(PEOPLE_HEAD, people_rows(found["people"]))
    if found.get("served"):
        lines += ["## People: as served", "", SERVED_TEXT, "", *_table(PEOPLE_HEAD, people_rows(found["served"]))]
    lines += ["## People: by height", "", *_table(PEOPLE_HEAD, band_rows(found["people"]))]
    lines += ["## People: by kind", "", SLICES_TEXT, "", *_table(PEOPLE_HEAD, slice_rows(found["people"]))]
    lines += ["## People not found", "", FOUND_TEXT, "", *_table(FOUND_HEAD, found_rows(found["people"]))]
    if found.get("against"):
        other = found["against"]["model"]
        lines += [f"## Against {other['name']} {other['version']}", "", f"sha256 `{other['sha256']}`.", ""]
        lines += [AGAINST_TEXT, "", *_table(AGAINST_HEAD, against_rows(found))]
    return "\n".join(lines).rstrip() + "\n"


def thresholds(found: dict[str, Any]) -> list[str]:
    """Return two sentences: the thresholds and the minimum heights."""
    told = {
        key: ", ".join(f"{name} {value:g}" for name, value in found["thresholds"][key].items())
        for key in ("confidence", "minimum_height")
    }
    return [
        f"Thresholds: {told['confidence']}.",
        f"Minimum heights in pixels as the model sees a person: {told['minimum_height']}.",
    ]


def trained_rows(found: dict[str, Any]) -> Rows:
    """Return which evaluated sources the model was trained on."""
    return [
        [name, "; ".join(told) or "nothing", "within source" if told else "CROSS-SOURCE"]
        for name, told in found["trained_on"].items()
    ]


def ap_rows(found: dict[str, Any]) -> Rows:
    """Return AP50 per group, both readings of the labels under each other."""
    return [
        [name, labels, *_ap(metrics)]
        for name, group in found["boxes"].items()
        for labels, metrics in group["ap"].items()
        if metrics
    ]


def parity_rows(found: dict[str, Any]) -> Rows:
    """Return AP50 per arithmetic and split."""
    return [
        [run, name, *_ap(metrics)]
        for name in next(iter(found["parity"].values()))
        for run, groups in found["parity"].items()
        if (metrics := groups[name])
    ]


def _ap(metrics: dict[str, float]) -> list[str]:
    values = [metrics.get(f"AP50 {key}") for key in ("mean", *CLASSES)] + [metrics.get("AP50-95 mean")]
    return [_share(value, 3) for value in values]


def error_rows(found: dict[str, Any]) -> Rows:
    """Return the expected calibration error per group and class."""
    return [
        [name, *(_share(group["calibration"][one]["error"], 3) for one in CLASSES)]
        for name, group in found["boxes"].items()
    ]


def confusion_rows(matrix: list[list[int]]) -> Rows:
    """Return a confusion matrix with the names of its rows."""
    return [[name, *row] for name, row in zip((*CLASSES, "no label"), matrix, strict=True)]


def pooled(groups: dict[str, Any]) -> list[str]:
    """Return the names of the groups that hold all sources."""
    return [name for name in groups if name.startswith("all/")]


def people_rows(people: dict[str, Any]) -> Rows:
    """Return every group: everybody, and from 100 px."""
    scopes = (("all", "everybody"), ("from_100_px", "from 100 px"))
    return [row for name, group in people.items() for key, who in scopes for row in _equipment(name, who, group[key])]


def band_rows(people: dict[str, Any]) -> Rows:
    """Return the height bands of the groups that hold all sources."""
    return [
        row
        for name in pooled(people)
        for band, tallies in people[name]["bands"].items()
        for row in _equipment(name, f"{band} px", tallies)
    ]


def slice_rows(people: dict[str, Any]) -> Rows:
    """Return the kinds of people of the groups that hold all sources."""
    return [
        row
        for name in pooled(people)
        for what, tallies in people[name]["slices"].items()
        for row in _equipment(name, what, tallies)
    ]


def found_rows(people: dict[str, Any]) -> Rows:
    """Return the people not found: every group, and bands and kinds of the groups that hold all sources."""
    rows: Rows = []
    for name, group in people.items():
        listed = {("from 100 px" if key == "from_100_px" else key): one for key, one in group["found"].items()}
        whole = name.startswith("all/")
        listed = {key if " px" in key or key == "all" else f"{key} px": one for key, one in listed.items()}
        if whole:
            listed |= {what: one["found"] for what, one in group["slices"].items()}
        for who, one in listed.items():
            if whole or who in {"all", "from 100 px"}:
                share = _interval(one["not_found_share"], one["not_found_95"])
                rows.append(
                    [name, who, one["people"], one["not_found"], share, one["something_unknown"], one["nobody_there"]]
                )
    return rows


def against_rows(found: dict[str, Any]) -> Rows:
    """Return both models' figures, their difference and its interval."""
    rows: Rows = []
    for name, figures in found["against"]["differences"].items():
        for figure, one in figures.items():
            interval = "-" if one["low"] is None else f"{one['low']:+.3f} to {one['high']:+.3f}"
            both = (_share(one["one"], 3), _share(one["other"], 3), f"{one['difference']:+.3f}")
            rows.append([name, figure, *both, interval, one["scenes"]])
    return rows


def _equipment(name: str, who: str, tallies: dict[str, Any]) -> Iterator[list[object]]:
    for equipment in EQUIPMENT:
        tally = tallies[equipment]
        cells: list[object] = [tally[count] for count in _COUNTS]
        cells += [_interval(tally[share], tally[f"{share}_95"]) for share in ("precision", "recall")]
        cells += [_share(tally["unknown_among_missing"]), _share(tally["unknown_among_worn"])]
        yield [name, who, equipment, *cells]


def _interval(share: float | None, limits: list[float]) -> str:
    return "-" if share is None else f"{share:.2f} ({limits[0]:.2f} to {limits[1]:.2f})"


def _share(share: float | None, digits: int = 2) -> str:
    return "-" if share is None else f"{share:.{digits}f}"


def _table(head: tuple[str, ...], rows: Rows) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [*("| " + " | ".join(map(str, cells)) + " |" for cells in lines), ""]
