"""Person truth: the plain rule, the decisions taken by eye, and that the committed files can be made again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from service.lab.dataset.cards import Card, read_card
from service.lab.dataset.faults import DatasetError
from service.lab.dataset.records import Split
from service.lab.truth import TruthPerson, make_truth, read_truth, write_truth
from service.lab.truth_review.decisions import (
    AddedPerson,
    Decision,
    IgnoredItem,
    JudgedPerson,
    NoPerson,
    read_decisions,
)
from service.lab.truth_review.rule import Box
from service.lab.undecided import UndecidedError, write_doubts

ROOT = Path(__file__).parents[2]
TRUTH = ROOT / "datasets" / "truth"
NAMES = ["helmet", "no-helmet", "vest", "no-vest", "person"]
WIDTH, HEIGHT = 200, 100

PERSON: Box = (20, 10, 60, 90)
HELMET: Box = (30, 10, 50, 25)
VEST: Box = (25, 30, 55, 60)


@pytest.fixture
def card() -> Card:
    return Card(
        name="made-up",
        title="Made up",
        publisher="nobody",
        version="1",
        licence="none",
        how_to_get="it is made here",
        people_labelled=True,
        labels={"helmet": "helmet", "no-helmet": "no-helmet", "vest": "vest", "no-vest": "no-vest", "person": "person"},
    )


def export(folder: Path, *boxes: tuple[str, Box], name: str = "a") -> Path:
    """Write a one-picture validation split whose labels are `boxes`, given in pixels."""
    images, labels = folder / "valid" / "images", folder / "valid" / "labels"
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(images / f"{name}.png"), np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
    rows = []
    for label, (x1, y1, x2, y2) in boxes:
        centre = f"{(x1 + x2) / 2 / WIDTH} {(y1 + y2) / 2 / HEIGHT}"
        rows.append(f"{NAMES.index(label)} {centre} {(x2 - x1) / WIDTH} {(y2 - y1) / HEIGHT}")
    (labels / f"{name}.txt").write_text("\n".join(rows), encoding="utf-8")
    (folder / "data.yaml").write_text(f"val: valid/images\nnames: {NAMES}\n", encoding="utf-8")
    return folder


def judged(box: Box, helmet: str = "worn", vest: str = "missing") -> JudgedPerson:
    fields = {"source": "made-up", "picture": "a.png", "why": "seen", "kind": "person"}
    return JudgedPerson.model_validate({**fields, "box": box, "helmet": helmet, "vest": vest})


def test_one_item_of_each_equipment_decides(tmp_path: Path, card: Card) -> None:
    folder = export(tmp_path, ("person", PERSON), ("helmet", HELMET), ("no-vest", VEST))
    (picture,) = make_truth(card, folder, ("valid",), [])
    assert picture.people == (TruthPerson(PERSON, "worn", "missing", "rule"),)
    content = (folder / "valid" / "images" / "a.png").read_bytes()
    assert (picture.picture, picture.split, picture.width, picture.height) == ("a.png", "valid", WIDTH, HEIGHT)
    assert picture.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("boxes", "doubt"),
    [
        ([("person", PERSON), ("helmet", HELMET)], "0 vest items"),
        ([("person", PERSON), ("helmet", HELMET), ("no-helmet", HELMET), ("vest", VEST)], "2 helmet items"),
        ([("person", PERSON), ("helmet", (30, 75, 50, 90)), ("helmet", HELMET)], "fits no person"),
        ([("person", PERSON), ("person", (24, 10, 64, 90)), ("helmet", HELMET), ("vest", VEST)], "claimed by 2 people"),
    ],
)
def test_ambiguous_and_undecided_is_refused(
    tmp_path: Path, card: Card, boxes: list[tuple[str, Box]], doubt: str
) -> None:
    folder = export(tmp_path, *boxes)
    with pytest.raises(DatasetError, match=doubt) as caught:
        make_truth(card, folder, ("valid",), [])
    assert "a.png" in str(caught.value)


def test_the_error_names_the_person(tmp_path: Path, card: Card) -> None:
    folder = export(tmp_path, ("person", PERSON))
    with pytest.raises(DatasetError, match="person at 20, 10, 60, 90 is ambiguous"):
        make_truth(card, folder, ("valid",), [])


def test_all_that_is_undecided_is_listed_at_once(tmp_path: Path, card: Card) -> None:
    folder = export(tmp_path, ("person", PERSON), ("helmet", HELMET), ("vest", (160, 5, 190, 15)))
    export(tmp_path, ("person", PERSON), name="b")
    export(tmp_path, ("person", PERSON), ("helmet", HELMET), ("vest", VEST), name="c")
    with pytest.raises(UndecidedError) as caught:
        make_truth(card, folder, ("valid",), [])
    found = [(one.picture, one.kind, one.box, one.what) for one in caught.value.doubts]
    assert found == [
        ("a.png", "item", (160, 5, 190, 15), "vest item at 160, 5, 190, 15 fits no person"),
        ("a.png", "person", PERSON, "person at 20, 10, 60, 90 is ambiguous (0 vest items)"),
        ("b.png", "person", PERSON, "person at 20, 10, 60, 90 is ambiguous (0 helmet items, 0 vest items)"),
    ]
    assert (caught.value.doubts[1].helmet, caught.value.doubts[1].vest) == ("worn", None)
    said = str(caught.value)
    assert "2 people and 1 item are undecided" in said
    assert "a.png: vest item at 160, 5, 190, 15 fits no person and is undecided" in said
    assert "docs/truth.md" in said
    example = json.loads(said.splitlines()[-1])
    assert example["box"] == [160.0, 5.0, 190.0, 15.0]


def test_the_list_of_the_undecided_is_bounded(tmp_path: Path, card: Card) -> None:
    for number in range(30):
        folder = export(tmp_path, ("person", PERSON), name=f"{number:02}")
    with pytest.raises(UndecidedError, match="30 people are undecided") as caught:
        make_truth(card, folder, ("valid",), [])
    assert len(caught.value.doubts) == 30
    lines = str(caught.value).splitlines()
    assert sum("is ambiguous" in line for line in lines[:-1]) == 20
    assert "and 10 more" in lines[-3]


def test_rows_to_decide_are_decisions_once_they_are_completed(tmp_path: Path, card: Card) -> None:
    folder = export(tmp_path, ("person", PERSON), ("helmet", HELMET), ("vest", (160, 5, 190, 15)))
    with pytest.raises(UndecidedError) as caught:
        make_truth(card, folder, ("valid",), [])
    path = tmp_path / "decisions.jsonl"
    write_doubts(path, caught.value.doubts)
    with pytest.raises(DatasetError, match=r"decisions\.jsonl:1: not a decision"):
        read_decisions(path)  # as it is nothing is decided
    item, person = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    assert (person["helmet"], person["vest"]) == ("worn", "?")
    item |= {"kind": "ignored_item"}
    person |= {"vest": "missing", "why": "a plain shirt"}
    path.write_text(json.dumps(item) + "\n" + json.dumps(person) + "\n", encoding="utf-8")
    (picture,) = make_truth(card, folder, ("valid",), read_decisions(path))
    assert picture.people == (TruthPerson(PERSON, "worn", "missing", "looked"),)


def test_the_rows_in_the_documentation_are_decisions(tmp_path: Path) -> None:
    lines = (ROOT / "docs" / "truth.md").read_text(encoding="utf-8").splitlines()
    path = tmp_path / "decisions.jsonl"
    path.write_text("".join(f"{line.strip()}\n" for line in lines if line.startswith('    {"')), encoding="utf-8")
    assert [row.kind for row in read_decisions(path)] == ["person", "added", "no_person", "ignored_item"]


def test_a_decision_overrules_the_labels(tmp_path: Path, card: Card) -> None:
    folder = export(tmp_path, ("person", PERSON), ("helmet", HELMET), ("vest", VEST))
    (picture,) = make_truth(card, folder, ("valid",), [judged(PERSON, "not_judgeable", "missing")])
    assert picture.people == (TruthPerson(PERSON, "not_judgeable", "missing", "looked"),)


def test_people_are_added_and_taken_away(tmp_path: Path, card: Card) -> None:
    other: Box = (100, 10, 140, 90)
    folder = export(tmp_path, ("person", PERSON), ("helmet", (110, 60, 130, 75)), ("vest", (160, 5, 190, 15)))
    why = {"source": "made-up", "picture": "a.png", "why": "seen"}
    decisions: list[Decision] = [
        NoPerson.model_validate({**why, "kind": "no_person", "box": PERSON}),
        AddedPerson.model_validate({**why, "kind": "added", "box": other, "helmet": "worn", "vest": "not_judgeable"}),
        IgnoredItem.model_validate({**why, "kind": "ignored_item", "box": (160, 5, 190, 15)}),
    ]
    (picture,) = make_truth(card, folder, ("valid",), decisions)
    assert picture.people == (TruthPerson(other, "worn", "not_judgeable", "looked"),)


def test_stale_decisions_are_refused(tmp_path: Path, card: Card) -> None:
    folder = export(tmp_path, ("person", PERSON), ("helmet", HELMET), ("vest", VEST))
    with pytest.raises(DatasetError, match="not labelled"):
        make_truth(card, folder, ("valid",), [judged((1, 2, 3, 4))])
    elsewhere = judged(PERSON).model_copy(update={"picture": "gone.png"})
    with pytest.raises(DatasetError, match=r"not in this export: gone\.png"):
        make_truth(card, folder, ("valid",), [elsewhere])
    another_source = elsewhere.model_copy(update={"source": "another"})
    assert len(make_truth(card, folder, ("valid",), [another_source])) == 1


def test_written_truth_reads_back(tmp_path: Path, card: Card) -> None:
    folder = export(tmp_path, ("person", PERSON), ("helmet", HELMET), ("vest", VEST))
    pictures = make_truth(card, export(folder, name="b"), ("valid", "test"), [])
    write_truth(tmp_path / "truth.jsonl", pictures)
    assert read_truth(tmp_path / "truth.jsonl") == pictures
    assert [picture.picture for picture in pictures] == ["a.png", "b.png"]


def test_a_bad_row_names_file_and_line(tmp_path: Path, card: Card) -> None:
    path = tmp_path / "truth.jsonl"
    folder = export(tmp_path, ("person", PERSON), ("helmet", HELMET), ("vest", VEST))
    write_truth(path, make_truth(card, folder, ("valid",), []))
    path.write_text(path.read_text(encoding="utf-8") + '{"picture": "b.png"}\n', encoding="utf-8")
    with pytest.raises(DatasetError, match=r"truth\.jsonl:2: not a row of person truth") as caught:
        read_truth(path)
    assert caught.value.line == 2
    with pytest.raises(DatasetError, match=r"missing\.jsonl: can't read"):
        read_truth(tmp_path / "missing.jsonl")


def test_bad_decisions_name_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    row = judged(PERSON).model_dump_json()
    path.write_text(f"{row}\n{row}\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"decisions\.jsonl:2: decides the same box as line 1"):
        read_decisions(path)
    path.write_text(row.replace("worn", "perhaps") + "\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"decisions\.jsonl:1: not a decision"):
        read_decisions(path)


@pytest.mark.parametrize(
    ("source", "splits"),
    [("construction-site-safety", ("valid", "test")), ("construction-safety-rf100", ("valid",))],
)
def test_the_committed_truth_can_be_made_again(
    tmp_path: Path, datasets: Path, source: str, splits: tuple[Split, ...]
) -> None:
    card = read_card(ROOT / "datasets" / f"{source}.toml")
    made = make_truth(card, datasets / source, splits, read_decisions(TRUTH / "decisions.jsonl"))
    write_truth(tmp_path / "again.jsonl", made)
    assert (tmp_path / "again.jsonl").read_bytes() == (TRUTH / f"{source}.jsonl").read_bytes()
