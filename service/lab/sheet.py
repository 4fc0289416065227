"""An evaluation as one HTML page with plots and pictures of failures. It holds dataset pictures: keep it private."""

from __future__ import annotations

from typing import Any

from service.lab import failures, grounds, plots, report
from service.lab.looking import Groups, Seen, pools
from service.lab.page import Page
from service.safety.equipment import CLASSES
from service.safety.thresholds import Thresholds


def sheet(found: dict[str, Any], groups: Groups, thresholds: Thresholds) -> Page:
    """Return the page: the tables of `report`, plots of the groups that hold all sources, and hardest failures.

    What is told about the grounds on which people are counted stands before everything else, as in report.md.
    Failures are shown of the pictures that tune, so that those of report stay unseen by whoever improves the model.
    """
    model = found["model"]
    page = Page(
        f"Evaluation of {model['name']} {model['version']}", f"sha256 of the .{model['file']}: {model['sha256']}"
    )
    for note in filter(None, grounds.told(found).split("\n\n")):
        page.text(_flat(note.replace("**", "")))
    page.text("\n".join(report.thresholds(found)))
    _table(page, report.TRAINED_HEAD, report.trained_rows(found))
    if found["boxes"]:
        _boxes(page, found)
    if found.get("against"):
        other = found["against"]["model"]
        page.section(f"Against {other['name']} {other['version']}", _flat(report.AGAINST_TEXT))
        _table(page, report.AGAINST_HEAD, report.against_rows(found))
    page.section("People: was missing equipment called missing?", _flat(report.PEOPLE_TEXT))
    _table(page, report.PEOPLE_HEAD, report.people_rows(found["people"]))
    if found.get("served"):
        page.section("People: as served", _flat(report.SERVED_TEXT))
        _table(page, report.PEOPLE_HEAD, report.people_rows(found["served"]))
    page.section("People: by height")
    for name in report.pooled(found["people"]):
        page.text(name)
        page.plot(plots.recall_by_height(found["people"][name]["bands"]))
    _table(page, report.PEOPLE_HEAD, report.band_rows(found["people"]))
    page.section("People: by kind", _flat(report.SLICES_TEXT))
    _table(page, report.PEOPLE_HEAD, report.slice_rows(found["people"]))
    page.section("People not found", _flat(report.FOUND_TEXT))
    _table(page, report.FOUND_HEAD, report.found_rows(found["people"]))
    if found["boxes"]:
        _failures(page, pools(groups).get("all/tune", []), thresholds)
    return page


def _boxes(page: Page, found: dict[str, Any]) -> None:
    page.section("Boxes: AP50 at 640", _flat(report.AP_TEXT))
    _table(page, report.AP_HEAD, report.ap_rows(found))
    if found.get("parity"):
        page.section("Parity", _flat(report.PARITY_TEXT))
        _table(page, report.PARITY_HEAD, report.parity_rows(found))
    names = report.pooled(found["boxes"])
    page.section("Precision and recall of boxes", "IoU 0.5, one convention; in brackets AP50.")
    for name in names:
        page.text(name)
        page.plot(plots.precision_recall(found["boxes"][name]["curves"], found["boxes"][name]["ap"]["one convention"]))
    page.section("Calibration", _flat(report.ERROR_TEXT))
    _table(page, report.ERROR_HEAD, report.error_rows(found))
    for name in names:
        page.text(name)
        page.plot(plots.calibration(found["boxes"][name]["calibration"]))
    page.section("Confusion", _flat(report.CONFUSION_TEXT))
    for name in names:
        page.text(name)
        page.plot(plots.confusion(found["boxes"][name]["confusion"]))


def _failures(page: Page, seen: list[Seen], thresholds: Thresholds) -> None:
    for name in CLASSES:
        drawn = "Seen: vermilion, thin. Labelled: blue, thick. On the pictures that tune."
        page.section(f"Hardest failures: {name}", drawn)
        page.text("The surest boxes above the threshold that hit no label; their confidence.")
        page.pictures(failures.false_alarms(seen, name, thresholds), width=200)
        page.text("The largest labels that no box at the threshold hits; their height as the model sees it.")
        page.pictures(failures.misses(seen, name, thresholds), width=200)


def _table(page: Page, head: tuple[str, ...], rows: report.Rows) -> None:
    """Add a table whose cells stay on one line."""
    page.table(head, [[str(cell).replace(" ", "\N{NO-BREAK SPACE}") for cell in row] for row in rows])


def _flat(text: str) -> str:
    return " ".join(text.split())
