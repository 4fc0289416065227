"""Planted faults of labels: each is found."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from service.lab.checking.check import check
from tests.lab import sites
from tests.lab.checks import found, one, serious
from tests.lab.sites import CARD, pictures, rewrite, rows_of

pytestmark = pytest.mark.thorough


def shuffle(folder: Path, split: str) -> None:
    paths = [rows_of(path) for path in pictures(folder, split)]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    for path, text in zip(paths, texts[7:] + texts[:7], strict=True):
        path.write_text(text, encoding="utf-8")


def test_shuffled_labels(copy: Path) -> None:
    shuffle(copy, "valid")
    finding = one(check(copy, CARD), "shuffled-labels", "fault")
    assert "valid" in finding.title
    assert finding.examples


def test_half_shuffled_labels(copy: Path) -> None:
    paths = [rows_of(path) for path in pictures(copy, "train")][::2]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    for path, text in zip(paths, texts[3:] + texts[:3], strict=True):
        path.write_text(text, encoding="utf-8")
    assert "train" in found(check(copy, CARD), "shuffled-labels")[0].title


def test_mixed_up_classes(small: Path) -> None:
    turned = {"0": "2", "2": "4", "4": "0"}
    rewrite(small, lambda rows: [[turned.get(row[0], row[0]), *row[1:]] for row in rows])
    assert {"item-without-person", "person-without-item"} <= set(serious(check(small, CARD)))


def test_rotated_polygons(small: Path) -> None:
    def turn(rows: list[list[str]]) -> list[list[str]]:
        turned = []
        for id_, *cells in rows:
            cx, cy, w, h = (float(cell) for cell in cells)
            corners = ((cx, cy - h / 2), (cx + w / 2, cy), (cx, cy + h / 2), (cx - w / 2, cy))
            turned.append([id_, *(f"{value:.5f}" for corner in corners for value in corner)])
        return turned

    rewrite(small, turn)
    assert "covers 50 %" in one(check(small, CARD), "polygon-labels", "warning").what


def test_a_dropped_class(small: Path) -> None:
    rewrite(small, lambda rows: [row for row in rows if row[0] != "1"])
    checked = check(small, CARD)
    assert "no-helmet" in one(checked, "class-missing", "fault").title
    unpeopled = CARD.model_copy(update={"people_labelled": False})
    rewrite(small, lambda rows: [row for row in rows if row[0] != "4"])
    levels = {finding.title: finding.level for finding in found(check(small, unpeopled), "class-missing")}
    assert levels == {"No box of the class no-helmet": "fault", "No box of the class person": "warning"}
    addition = CARD.model_copy(update={"addition": True})
    assert {finding.level for finding in found(check(small, addition), "class-missing")} == {"warning"}


def test_a_rare_class_and_one_that_a_split_lacks(copy: Path) -> None:
    def thin(rows: list[list[str]]) -> list[list[str]]:
        return [row for row in rows if row[0] != "1" or float(row[1]) < 0.2]

    rewrite(copy, thin, "train")
    for path in pictures(copy, "train")[:16]:
        target = copy / "valid" / "images" / path.name
        path.rename(target)
        rows_of(path).rename(rows_of(target))
    rewrite(copy, lambda rows: [row for row in rows if row[0] != "1"], "valid")
    checked = check(copy, CARD)
    assert "no-helmet" in one(checked, "class-rare", "warning").title
    assert "no-helmet" in one(checked, "class-missing-in-split", "warning").what


def test_labels_that_the_card_does_not_name(small: Path) -> None:
    card = CARD.model_copy(update={"labels": {key: value for key, value in CARD.labels.items() if value != "helmet"}})
    checked = check(small, card)
    assert "'Hard Hat'" in one(checked, "label-not-in-card", "warning").what
    assert one(check(small, CARD.model_copy(update={"labels": {}})), "label-not-in-card", "fault").count


def test_a_source_without_people(small: Path) -> None:
    for path in pictures(small, "train")[::2]:
        kept = [line for line in rows_of(path).read_text(encoding="utf-8").splitlines() if not line.startswith("4")]
        rows_of(path).write_text("\n".join(kept), encoding="utf-8")
    assert one(check(small, CARD), "people-not-labelled", "warning").count == 7


def test_missing_equipment_seen_apart_from_work(copy: Path) -> None:
    def apart(rows: list[list[str]]) -> list[list[str]]:
        bare = any(row[0] == "1" for row in rows)
        return [row for row in rows if not bare or row[0] not in {"0", "2"}]

    rewrite(copy, apart)
    titles = [finding.title for finding in found(check(copy, CARD), "class-apart")]
    assert "no-helmet is seen apart from work" in titles


def test_upper_bodies_only(tmp_path: Path) -> None:
    folder = sites.write_set(tmp_path / "set", train=20, valid=6, one=partial(sites.draw, upper=True))
    assert {"upper-bodies", "border-cut"} <= set(serious(check(folder, CARD)))


def test_small_boxes(small: Path) -> None:
    rewrite(small, lambda rows: [[*row[:3], f"{float(row[3]) / 8}", f"{float(row[4]) / 8}"] for row in rows])
    assert one(check(small, CARD), "small-boxes", "warning").rows[0][0] == "class"


def test_people_drawn_twice(small: Path) -> None:
    rewrite(small, lambda rows: rows + [[*row[:3], row[3], f"{float(row[4]) * 0.9}"] for row in rows if row[0] == "4"])
    assert one(check(small, CARD), "crowded", "warning").examples


def test_loose_head_boxes_and_the_card_that_mends_them(small: Path) -> None:
    def whole_head(rows: list[list[str]]) -> list[list[str]]:
        loose = []
        for id_, cx, cy, w, h in rows:
            tall = float(h) * (2 if id_ == "0" else 1)
            loose.append([id_, cx, f"{float(cy) + (tall - float(h)) / 2:.6f}", w, f"{tall:.6f}"])
        return loose

    rewrite(small, whole_head)
    finding = one(check(small, CARD), "head-boxes", "warning")
    assert finding.title == "helmet boxes are loose"
    assert "[box_heights]" in finding.mend
    mended = CARD.model_copy(update={"box_heights": {"hard-hat": 0.5}})
    assert "the card mends it" in one(check(small, mended), "head-boxes", "note").title
    spoilt = CARD.model_copy(update={"box_heights": {"hard-hat": 1.6}})
    assert one(check(small, spoilt), "head-boxes", "warning")
