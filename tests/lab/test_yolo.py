"""YOLO exports as Ultralytics reads them: folders in folders, list files, where labels lie, what boxes reach beyond."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from service.lab.checking.check import check
from service.lab.dataset.faults import DatasetError
from service.lab.dataset.layouts import config_of, read_export
from service.lab.dataset.records import Picture
from service.lab.dataset.yolo import class_names, read_yolo, rows_without_picture
from tests.lab import sites
from tests.lab.checks import one

ROW = "0 0.5 0.5 0.2 0.2\n"


def paint(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.zeros((40, 60, 3), np.uint8))
    return path


def label(path: Path, rows: str = ROW) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(rows, encoding="utf-8")
    return path


def config(root: Path, **fields: object) -> Path:
    path = root / "data.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"names": ["helmet", "person"], **fields}), encoding="utf-8")
    return path


def read(path: Path) -> tuple[list[Picture], list[DatasetError]]:
    faults: list[DatasetError] = []
    return list(read_yolo(path, faults.append)), faults


def test_only_the_last_folder_called_images_becomes_labels(tmp_path: Path) -> None:
    root = tmp_path / "images" / "set"
    paint(root / "images" / "train" / "a.jpg")
    label(root / "labels" / "train" / "a.txt")
    described = config(root, train="images/train")
    pictures, faults = read(described)
    assert [(len(found.boxes), found.has_label_file) for found in pictures] == [(1, True)]
    assert faults == rows_without_picture(described) == []


def test_pictures_in_folders_below_are_read_with_their_labels(tmp_path: Path) -> None:
    for name in ("a", "cam1/a", "cam1/deep/b", ".hidden/c"):
        paint(tmp_path / "train" / "images" / f"{name}.jpg")
        label(tmp_path / "train" / "labels" / f"{name}.txt")
    orphan = label(tmp_path / "train" / "labels" / "cam2" / "a.txt")
    described = config(tmp_path, train="train/images")
    pictures, faults = read(described)
    below = tmp_path / "train" / "images"
    assert [str(found.path.relative_to(below)) for found in pictures] == ["a.jpg", "cam1/a.jpg", "cam1/deep/b.jpg"]
    assert all(len(found.boxes) == 1 for found in pictures)
    assert faults == []
    assert rows_without_picture(described) == [orphan]


def test_a_folder_that_holds_pictures_only_below_is_one(tmp_path: Path) -> None:
    paint(tmp_path / "train" / "images" / "cam1" / "a.jpg")
    paint(tmp_path / "train" / "masks" / "a.png")
    label(tmp_path / "train" / "labels" / "cam1" / "a.txt")
    pictures, faults = read(config(tmp_path, train="train"))
    assert [(found.path.name, len(found.boxes)) for found in pictures] == [("a.jpg", 1)]
    assert faults == []


def test_a_picture_that_two_entries_of_a_split_name_counts_once(tmp_path: Path) -> None:
    paint(tmp_path / "images" / "cam1" / "a.jpg")
    pictures, _ = read(config(tmp_path, train=["images", "images/cam1"]))
    assert len(pictures) == 1


@pytest.mark.parametrize(
    ("row", "kind", "kept"),
    [
        ("0 0.05 0.5 0.6 0.8", "edge", 1),
        ("0 0.5 0.95 0.2 0.2", "edge", 1),
        ("0 1.005 0.5 0.005 0.1", "range", 0),
        ("0 1.2 0.5 0.1 0.1", "range", 0),
        ("0 1.0 0.5 0.015 0.1", None, 1),
        ("0 0.2 0.2 0.2 0.4 0.2 0.6", "size", 0),
        ("0 1.001 0.2 1.005 0.4 1.002 0.6", "range", 0),
        ("0 0.5 0.5 -0.1 0.1", "size", 0),
    ],
)
def test_what_lies_beyond_the_picture_is_told_once(tmp_path: Path, row: str, kind: str | None, kept: int) -> None:
    paint(tmp_path / "train" / "images" / "a.jpg")
    label(tmp_path / "train" / "labels" / "a.txt", row + "\n")
    pictures, faults = read(config(tmp_path, train="train/images"))
    assert [fault.kind for fault in faults] == [kind] * bool(kind)
    assert all(fault.line == 1 for fault in faults)
    assert len(pictures[0].boxes) == kept


def test_list_files_name_their_pictures(tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d", "e"):
        paint(tmp_path / "images" / f"{name}.jpg")
        label(tmp_path / "labels" / f"{name}.txt")
    orphan = label(tmp_path / "labels" / "nobody.txt")
    listed = f"./images/a.jpg\n\nimages/b.jpg\n{tmp_path / 'images' / 'c.jpg'}\n./images/a.jpg\n"
    (tmp_path / "train.txt").write_text("\ufeff" + listed, encoding="utf-8")
    label(tmp_path / "lists" / "val.txt", "./../images/d.jpg\n")
    described = config(tmp_path, train="train.txt", val="lists/val.txt")
    pictures, faults = read(described)
    assert [(found.split, found.path.name) for found in pictures] == [
        ("train", "a.jpg"),
        ("train", "b.jpg"),
        ("train", "c.jpg"),
        ("valid", "d.jpg"),
    ]
    assert all(len(found.boxes) == 1 for found in pictures)
    assert faults == []
    assert rows_without_picture(described) == [orphan]


def test_what_a_list_file_names_and_is_not_there_is_told_by_its_line(tmp_path: Path) -> None:
    paint(tmp_path / "images" / "a.jpg")
    label(tmp_path / "images" / "notes.md", "no picture")
    label(tmp_path / "train.txt", "./images/a.jpg\n/nowhere/b.jpg\n./images/notes.md\n")
    pictures, faults = read(config(tmp_path, train="train.txt"))
    assert len(pictures) == 1
    assert [(fault.path.name, fault.line, fault.kind) for fault in faults] == [
        ("train.txt", 2, "picture"),
        ("train.txt", 3, "picture"),
    ]
    assert "lists the picture '/nowhere/b.jpg', which is not there" in faults[0].what
    assert "'./images/notes.md', which is no picture" in faults[1].what


def test_a_list_file_that_names_nothing_is_told(tmp_path: Path) -> None:
    label(tmp_path / "train.txt", "\n")
    pictures, faults = read(config(tmp_path, train="train.txt"))
    assert pictures == []
    assert [(fault.path.name, fault.kind, fault.what) for fault in faults] == [
        ("train.txt", "folder", "lists no picture")
    ]


@pytest.mark.parametrize("names", [[], {}])
def test_an_empty_class_list_is_told(tmp_path: Path, names: object) -> None:
    paint(tmp_path / "train" / "images" / "a.jpg")
    described = config(tmp_path, train="train/images", names=names)
    with pytest.raises(DatasetError, match="names: is empty"):
        read(described)
    with pytest.raises(DatasetError, match="names: is empty"):
        class_names(described)


def test_folders_that_are_not_there_are_told_and_not_that_no_split_is_named(tmp_path: Path) -> None:
    described = config(tmp_path, train="nowhere/images", val="elsewhere")
    with pytest.raises(DatasetError, match="'nowhere/images' is no folder with pictures") as caught:
        read(described)
    assert "'elsewhere' is no folder" in str(caught.value)
    with pytest.raises(DatasetError, match="names no split"):
        read(config(tmp_path))


def test_a_config_may_be_given_as_a_file(tmp_path: Path) -> None:
    folder = sites.write_set(tmp_path / "set", train=4, valid=2)
    shutil.copyfile(folder / "data.yaml", folder / "fold1.yml")
    (folder / "data.yaml").unlink()
    assert config_of(folder / "fold1.yml") == folder / "fold1.yml"
    assert len(list(read_export(folder / "fold1.yml"))) == 6
    sites.rows_of(sites.pictures(folder)[0]).unlink()
    checked = check(folder / "fold1.yml", sites.CARD)
    assert checked.survey.folder == folder
    assert one(checked, "missing-label", "warning").count == 1


def test_a_file_that_is_no_config_is_refused(tmp_path: Path) -> None:
    path = label(tmp_path / "notes.md", "names")
    with pytest.raises(DatasetError, match="no dataset here"):
        list(read_export(path))


def test_a_set_of_which_no_picture_is_there_says_what_is_missing(tmp_path: Path) -> None:
    label(tmp_path / "train.txt", "/nowhere/b.jpg\n")
    with pytest.raises(DatasetError, match=r"holds no picture that can be read; .*nowhere/b\.jpg"):
        check(tmp_path / config(tmp_path, train="train.txt").name, sites.CARD)
