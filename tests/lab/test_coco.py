"""COCO json as several tools write it: which picture a name means, which entries count, what is said of others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from service.lab.checking.check import Checked
from service.lab.checking.report import as_json, write_html
from service.lab.checking.survey import survey
from service.lab.dataset.coco import read_coco
from service.lab.dataset.faults import DatasetError
from service.lab.dataset.layouts import read_export
from service.lab.dataset.records import Picture
from tests.lab import sites

IMAGE = {"id": 1, "file_name": "a.jpg", "width": 60, "height": 40}
PERSON = {"id": 3, "name": "Person"}
BOX = {"id": 7, "image_id": 1, "category_id": 3, "bbox": [6, 4, 30, 20]}


def paint(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.zeros((40, 60, 3), np.uint8))
    return path


def describe(path: Path, **change: object) -> Path:
    document = {"images": [IMAGE], "categories": [PERSON], "annotations": [BOX], **change}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def read(path: Path) -> tuple[list[Picture], list[DatasetError], list[str]]:
    faults: list[DatasetError] = []
    notes: list[str] = []
    return list(read_coco(path, faults.append, notes.append)), faults, notes


def at(root: Path, pictures: list[Picture]) -> list[str]:
    return [str(found.path.relative_to(root)) for found in pictures]


@pytest.mark.parametrize(
    "place",
    ["{}", "images/{}", "{}/images", "{}2017", "images/{}2017", "data/{}/deep"],
)
def test_a_name_that_stands_in_several_splits_means_the_one_of_its_own(tmp_path: Path, place: str) -> None:
    folders = {"test": "test", "train": "train", "valid": "val"}
    for folder in folders.values():
        paint(tmp_path / place.format(folder) / "a.jpg")
        describe(tmp_path / "annotations" / f"instances_{folder}.json")
    found = {one.split: str(one.path.relative_to(tmp_path)) for one in read_export(tmp_path)}
    assert found == {split: f"{place.format(folder)}/a.jpg" for split, folder in folders.items()}


def test_a_picture_that_only_another_split_has_is_not_there(tmp_path: Path) -> None:
    paint(tmp_path / "val" / "a.jpg")
    pictures, faults, _ = read(describe(tmp_path / "annotations" / "instances_train.json"))
    assert pictures == []
    assert faults[0].kind == "picture"
    assert "image 1" in faults[0].what
    assert "'a.jpg', which is not there" in faults[0].what
    assert "val/a.jpg" in faults[0].what


def test_a_name_that_means_two_pictures_is_a_fault_and_no_guess(tmp_path: Path) -> None:
    paint(tmp_path / "data" / "one" / "a.jpg")
    paint(tmp_path / "data" / "two" / "a.jpg")
    pictures, faults, _ = read(describe(tmp_path / "annotations" / "instances_train.json"))
    assert pictures == []
    assert "'a.jpg', which may be data/one/a.jpg or data/two/a.jpg" in faults[0].what


def test_a_name_with_its_folder_means_that_one(tmp_path: Path) -> None:
    for camera in ("one", "two"):
        paint(tmp_path / "train" / "raw" / camera / "a.jpg")
    path = describe(tmp_path / "annotations" / "instances_train.json", images=[{**IMAGE, "file_name": "two/a.jpg"}])
    pictures, faults, _ = read(path)
    assert (at(tmp_path, pictures), faults) == (["train/raw/two/a.jpg"], [])


def test_crowds_are_left_out_and_told(tmp_path: Path) -> None:
    paint(tmp_path / "train" / "a.jpg")
    crowd = {"id": 8, "image_id": 1, "category_id": 3, "bbox": [0, 0, 60, 40], "iscrowd": 1}
    pictures, faults, notes = read(describe(tmp_path / "train" / "_annotations.coco.json", annotations=[BOX, crowd]))
    assert [len(one.boxes) for one in pictures] == [1]
    assert faults == []
    assert notes == ["train/_annotations.coco.json: 1 crowd region (iscrowd) is left out: it is no single person's box"]


def test_boxes_of_no_listed_picture_are_told(tmp_path: Path) -> None:
    paint(tmp_path / "train" / "a.jpg")
    rows = [BOX, {**BOX, "id": 8, "image_id": 9}, {**BOX, "id": 9, "image_id": 9}]
    pictures, faults, notes = read(describe(tmp_path / "train" / "_annotations.coco.json", annotations=rows))
    assert [len(one.boxes) for one in pictures] == [1]
    assert faults == []
    assert notes == ["train/_annotations.coco.json: 2 annotations belong to no picture that it lists"]


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("a.png", "image 2 ('a.png'): its labels would have the same file, a.txt, as those of 'a.jpg'"),
        ("a.jpg", "image 2 ('a.jpg'): stands there twice"),
    ],
)
def test_two_pictures_of_one_label_file_are_a_fault(tmp_path: Path, second: str, said: str) -> None:
    for name in {"a.jpg", second}:
        paint(tmp_path / "train" / name)
    images = [IMAGE, {**IMAGE, "id": 2, "file_name": second}]
    rows = [BOX, {**BOX, "id": 8, "image_id": 2}]
    path = describe(tmp_path / "train" / "_annotations.coco.json", images=images, annotations=rows)
    pictures, faults, _ = read(path)
    assert at(tmp_path, pictures) == ["train/a.jpg"]
    assert [(fault.kind, fault.what) for fault in faults] == [("picture", said)]
    with pytest.raises(DatasetError, match=r"image 2"):
        list(read_export(tmp_path))


def test_pictures_of_one_name_in_two_folders_are_two(tmp_path: Path) -> None:
    for camera in ("one", "two"):
        paint(tmp_path / "train" / camera / "a.jpg")
    images = [{**IMAGE, "file_name": "one/a.jpg"}, {**IMAGE, "id": 2, "file_name": "two/a.jpg"}]
    pictures, faults, _ = read(describe(tmp_path / "train" / "_annotations.coco.json", images=images))
    assert (len(pictures), faults) == (2, [])


@pytest.mark.parametrize(
    ("images", "said"),
    [
        ([{**IMAGE, "width": 0}], "image 1 ('a.jpg'): width: expected a number above 0, got 0"),
        ([{**IMAGE, "height": None}], "image 1 ('a.jpg'): height: expected a number above 0, got null"),
        ([{**IMAGE, "height": "tall"}], "image 1 ('a.jpg'): height: expected a number above 0, got \"tall\""),
        ([{"id": 1, "file_name": "a.jpg", "height": 40}], "image 1 ('a.jpg'): lacks width"),
        ([{"id": 1, "width": 60, "height": 40}], "image 1: lacks file_name"),
        ([{**IMAGE, "file_name": 5}], "image 1: file_name: expected a text, got 5"),
        ([{"file_name": "a.jpg", "width": 60, "height": 40}], "image number 1 ('a.jpg'): lacks id"),
        ([{**IMAGE, "id": [1]}], "image number 1 ('a.jpg'): id: expected a number or a text, got [1]"),
        (["a.jpg"], 'image number 1: expected an object, got "a.jpg"'),
        ([{**IMAGE, "file_name": "b.jpg"}, {**IMAGE, "file_name": "c.jpg"}], "image 1 ('c.jpg'): its id stands twice"),
    ],
)
def test_a_broken_image_is_named_and_the_others_are_read(tmp_path: Path, images: list[Any], said: str) -> None:
    for name in ("a", "b", "z"):
        paint(tmp_path / "train" / f"{name}.jpg")
    listed = [*images, {"id": 99, "file_name": "z.jpg", "width": 60, "height": 40}]
    pictures, faults, _ = read(describe(tmp_path / "train" / "_annotations.coco.json", images=listed))
    assert [(fault.kind, fault.what) for fault in faults] == [("picture", said)]
    assert at(tmp_path, pictures)[-1] == "train/z.jpg"


@pytest.mark.parametrize(
    ("row", "kind", "said"),
    [
        ("box", "fields", 'annotation number 2: expected an object, got "box"'),
        ({"id": 5, "category_id": 3, "bbox": [1, 1, 2, 2]}, "fields", "annotation 5: lacks image_id"),
        ({"id": 5, "image_id": 1, "bbox": [1, 1, 2, 2]}, "fields", "annotation 5: lacks category_id"),
        ({"id": 5, "image_id": 1, "category_id": 3}, "fields", "annotation 5: lacks bbox"),
        ({"image_id": 1, "category_id": 3}, "fields", "annotation number 2: lacks bbox"),
        ({**BOX, "id": 5, "bbox": [1, 2]}, "fields", "annotation 5: bbox: expected four numbers, got [1, 2]"),
        ({**BOX, "id": 5, "bbox": 4}, "fields", "annotation 5: bbox: expected four numbers, got 4"),
        (
            {**BOX, "id": 5, "bbox": [1, float("nan"), 2, 2]},
            "fields",
            "annotation 5: bbox: expected four numbers, got [1, NaN, 2, 2]",
        ),
        (
            {**BOX, "id": 5, "category_id": {}},
            "fields",
            "annotation 5: category_id: expected a number or a text, got {}",
        ),
        ({**BOX, "id": 5, "category_id": 9}, "class", "annotation 5: category 9 is not listed"),
        ({**BOX, "id": 5, "bbox": [90, 4, 3, 3]}, "range", "annotation 5: its box lies outside the picture"),
    ],
)
def test_a_broken_annotation_is_named_and_the_others_are_read(
    tmp_path: Path, row: object, kind: str, said: str
) -> None:
    paint(tmp_path / "train" / "a.jpg")
    path = describe(tmp_path / "train" / "_annotations.coco.json", annotations=[BOX, row])
    pictures, faults, _ = read(path)
    assert [(fault.kind, fault.what) for fault in faults] == [(kind, said)]
    assert [len(one.boxes) for one in pictures] == [1]


def test_a_broken_category_is_named(tmp_path: Path) -> None:
    paint(tmp_path / "train" / "a.jpg")
    path = describe(tmp_path / "train" / "_annotations.coco.json", categories=[PERSON, {"id": 4}])
    pictures, faults, _ = read(path)
    assert [(fault.kind, fault.what) for fault in faults] == [("names", "category 4: lacks name")]
    assert len(pictures[0].boxes) == 1


@pytest.mark.parametrize("key", ["images", "categories", "annotations"])
def test_a_list_that_is_none_is_told_by_its_name(tmp_path: Path, key: str) -> None:
    with pytest.raises(DatasetError, match=f"not COCO json as expected: {key} is no list"):
        read(describe(tmp_path / "train" / "_annotations.coco.json", **{key: None}))


@pytest.mark.parametrize(
    ("file", "picture"),
    [
        ("annotations/instances_default.json", "images/a.jpg"),
        ("annotations/instances_default.json", "images/default/a.jpg"),
        ("annotations/instances_latest.json", "images/a.jpg"),
        ("_annotations.coco.json", "a.jpg"),
        ("_annotations.coco.json", "images/a.jpg"),
    ],
)
def test_a_file_whose_path_tells_no_split_is_train_and_that_is_said(tmp_path: Path, file: str, picture: str) -> None:
    paint(tmp_path / picture)
    describe(tmp_path / file)
    notes: list[str] = []
    (found,) = read_export(tmp_path, on_note=notes.append)
    assert (found.split, str(found.path.relative_to(tmp_path))) == ("train", picture)
    assert notes == [f"{file} names no split: it is taken as train"]


def test_a_file_at_the_root_does_not_look_for_pictures_beside_its_set(tmp_path: Path) -> None:
    paint(tmp_path / "other" / "a.jpg")
    describe(tmp_path / "mine" / "_annotations.coco.json")
    with pytest.raises(DatasetError, match="which is not there"):
        list(read_export(tmp_path / "mine"))


def test_a_folder_that_is_one_split_is_that_split(tmp_path: Path) -> None:
    paint(tmp_path / "valid" / "a.jpg")
    describe(tmp_path / "valid" / "_annotations.coco.json")
    assert [one.split for one in read_export(tmp_path / "valid")] == ["valid"]


def test_a_survey_keeps_what_is_noted(tmp_path: Path) -> None:
    made = sites.write_set(tmp_path / "drawn", train=1, valid=1)
    (tmp_path / "set" / "images").mkdir(parents=True)
    shutil.copyfile(sites.pictures(made)[0], tmp_path / "set" / "images" / "a.jpg")
    describe(tmp_path / "set" / "annotations" / "instances_default.json", annotations=[])
    seen = survey(tmp_path / "set", sites.CARD, 640)
    said = "annotations/instances_default.json names no split: it is taken as train"
    assert seen.notes == (said,)
    checked = Checked(seen, (), 0, 0)
    assert as_json(checked)["notes"] == [said]
    write_html(checked, tmp_path / "check.html")
    assert f"How it was read: {said}." in (tmp_path / "check.html").read_text(encoding="utf-8")
