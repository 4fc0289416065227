"""What a check found, as one HTML page with pictures and as JSON."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from service.lab.checking import sources
from service.lab.checking.check import Checked
from service.lab.checking.drawing import LEGEND, WIDTH, draw
from service.lab.checking.findings import Finding
from service.lab.checking.quality import MIDDLE, SMALL, TINY
from service.lab.checking.rows import named
from service.lab.page import Page
from service.safety.equipment import CLASSES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TINTS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")
_WORDS: Final = {"fault": "Fault", "warning": "Warning", "note": "Note"}


def as_json(checked: Checked) -> dict[str, Any]:
    """Return the findings as plain values; files are named relative to the set's folder."""
    survey = checked.survey
    return {
        "dataset": survey.folder.resolve().name,
        "card": survey.card.name,
        "imgsz": survey.imgsz,
        "pictures": {split: len(survey.of_split(split)) for split in survey.splits},
        "boxes": {split: survey.counts(split) for split in survey.splits},
        "labels": {
            label: {"boxes": count, "means": survey.card.target(label)}
            for label, count in Counter(box.label for box in survey.table.boxes).most_common()
        },
        "notes": list(survey.notes),
        "sources": sources.as_json(survey),
        "seconds": round(checked.seconds, 1),
        "cpu_seconds": round(checked.cpu_seconds, 1),
        "findings": [
            {
                "code": finding.code,
                "level": finding.level,
                "title": finding.title,
                "what": finding.what,
                "mend": finding.mend,
                "count": finding.count,
                "of": finding.of,
                "examples": [named(survey, example.picture) for example in finding.examples],
            }
            for finding in checked.findings
        ],
        "broken": [
            {"file": named(survey, fault.path), "line": fault.line, "kind": fault.kind, "what": fault.what}
            for fault in survey.faults
        ],
    }


def write_html(checked: Checked, path: Path) -> None:
    """Write the report as one page that needs no other file."""
    survey = checked.survey
    name = survey.folder.resolve().name
    page = Page(f"Dataset check: {name}", _lead(checked))
    page.section("What was found")
    page.table(
        ("level", "finding", "count", "of", "code"),
        ((_WORDS[one.level], one.title, f"{one.count:,}", f"{one.of:,}", one.code) for one in checked.findings),
    )
    page.section("The set", f"Card: {survey.card.title}. Licence: {survey.card.licence}")
    if survey.card.judgement:
        page.text(" ".join(survey.card.judgement.split()))
    if survey.notes:
        page.text(f"How it was read: {'; '.join(survey.notes)}.")
    page.table(
        ("split", "pictures", *CLASSES),
        (
            (split, f"{len(survey.of_split(split)):,}", *(f"{count:,}" for count in survey.counts(split).values()))
            for split in survey.splits
        ),
    )
    if rows := sources.table(survey):
        page.text("Where the pictures come from, as the set or the beginnings of its file names say:")
        page.table(rows[0], rows[1:])
    labels = Counter(box.label for box in survey.table.boxes)
    page.table(
        ("label", "boxes", "means", "height times"),
        (
            (label, f"{count:,}", survey.card.target(label) or "(dropped)", f"{survey.card.box_height(label):g}")
            for label, count in labels.most_common()
        ),
    )
    for figure in (_class_bars(checked), _sizes(checked), _places(checked), _light(checked), _fits(checked)):
        if figure is not None:
            page.plot(figure)
    for finding in checked.findings:
        _section(page, checked, finding)
    page.write(path)


def _lead(checked: Checked) -> str:
    counts = ", ".join(
        f"{len(found)} {level}{'' if len(found) == 1 else 's'}"
        for level in ("fault", "warning", "note")
        for found in [checked.of_level(level)]
    )
    return (
        f"{counts}. {len(checked.survey.seen):,} pictures, {len(checked.survey.table.boxes):,} boxes, judged at "
        f"{checked.survey.imgsz} pixels. Made by `ppe dataset check` in {checked.seconds:.0f} s "
        f"({checked.cpu_seconds:.0f} s of CPU). {LEGEND}"
    )


def _section(page: Page, checked: Checked, finding: Finding) -> None:
    page.section(f"{_WORDS[finding.level]}: {finding.title}", finding.what)
    page.text(f"To mend it: {finding.mend}")
    if finding.rows:
        page.table(finding.rows[0], finding.rows[1:])
    double = any(example.beside for example in finding.examples)
    page.pictures(
        ((draw(example, checked.survey.card), example.caption) for example in finding.examples),
        width=2 * WIDTH if double else WIDTH,
    )


def _figure(title: str, across: str, up: str, width: float = 5.4) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, fontsize=11, loc="left")
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _class_bars(checked: Checked) -> Figure:
    survey = checked.survey
    figure, axes = _figure("Boxes of each class", "", "boxes")
    wide = 0.8 / len(survey.splits)
    for place, split in enumerate(survey.splits):
        counts = list(survey.counts(split).values())
        at = np.arange(len(CLASSES)) + (place - (len(survey.splits) - 1) / 2) * wide
        axes.bar_label(axes.bar(at, counts, wide, label=split, color=_TINTS[place]), fontsize=7)
    axes.set_xticks(range(len(CLASSES)), CLASSES)
    if len(survey.splits) > 1:
        axes.legend(frameon=False)
    return figure


def _sizes(checked: Checked) -> Figure | None:
    table = checked.survey.table
    if not (table.class_id >= 0).any():
        return None
    figure, axes = _figure("Shorter side of the boxes", f"pixels at {checked.survey.imgsz}", "share of boxes")
    bins = 2.0 ** np.arange(1, 10.25, 0.5)
    for name, tint in zip(CLASSES, _TINTS, strict=True):
        side = table.size[table.is_a(name)].min(axis=1, initial=1e9)
        if len(side):
            counts, _ = np.histogram(side, bins)
            axes.stairs(counts / len(side), bins, label=name, color=tint, linewidth=1.5)
    for limit in (TINY, SMALL, MIDDLE):
        axes.axvline(limit, color="#999", linewidth=0.8, linestyle=":")
    axes.set_xscale("log", base=2)
    axes.set_xticks([4, 8, 16, 32, 64, 128, 256, 512], ["4", "8", "16", "32", "64", "128", "256", "512"])
    axes.legend(frameon=False, fontsize=8)
    return figure


def _places(checked: Checked) -> Figure | None:
    table = checked.survey.table
    people = table.is_a("person") if table.is_a("person").any() else table.class_id >= 0
    if not people.any():
        return None
    what = "people" if table.is_a("person").any() else "boxes"
    figure, axes = _figure(f"Where {what} are", "", "", 4.2)
    centres = (table.corners[people, :2] + table.corners[people, 2:]) / 2
    density, _, _ = np.histogram2d(centres[:, 1], centres[:, 0], bins=16, range=((0, 1), (0, 1)))
    axes.pcolormesh(np.linspace(0, 1, 17), np.linspace(0, 1, 17), density, cmap="Blues")
    axes.invert_yaxis()
    axes.set_xticks([0, 1], ["left", "right"])
    axes.set_yticks([0, 1], ["top", "bottom"])
    return figure


def _light(checked: Checked) -> Figure:
    figure, axes = _figure("Light and colour, a dot a picture", "median brightness", "colourfulness")
    for split, tint in zip(checked.survey.splits, _TINTS, strict=False):
        looks = [one.look for one in checked.survey.of_split(split)]
        looks = looks[:: max(1, len(looks) // 500)]  # a page of dots, not of megabytes
        axes.scatter(
            [look.brightness for look in looks], [look.colour for look in looks], 5, color=tint, label=split, alpha=0.6
        )
    axes.set_xlim(0, 255)
    axes.legend(frameon=False)
    return figure


def _fits(checked: Checked) -> Figure | None:
    figure, axes = _figure(
        "Do labels sit on something?", "comparisons won by a picture's own boxes", "share of pictures"
    )
    drawn = False
    for split, tint in zip(checked.survey.splits, _TINTS, strict=False):
        fits = [one.look.fit for one in checked.survey.of_split(split) if one.look.fit is not None]
        if fits:
            counts, edges = np.histogram(fits, np.linspace(0, 1, 14))
            axes.stairs(counts / len(fits), edges, label=split, color=tint, linewidth=1.5)
            drawn = True
    if not drawn:
        return None
    axes.axvline(0.5, color="#999", linewidth=0.8, linestyle=":")
    axes.legend(frameon=False)
    return figure
