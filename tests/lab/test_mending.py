"""A cleaned copy: what is mended, what is left out, and that the source stays as it is."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import cv2
import pytest

from service.lab.checking.check import check
from service.lab.checking.mending import mend
from service.lab.dataset.faults import DatasetError
from service.lab.dataset.prepare import read_export
from tests.lab import sites
from tests.lab.checks import leak
from tests.lab.sites import CARD, pictures, rows_of


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return sites.write_set(tmp_path / "set", train=6, valid=3)


def state(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def spoil(folder: Path) -> None:
    """Plant everything that can be mended."""
    first, second, third, fourth, fifth, _ = pictures(folder, "train")
    text = rows_of(first).read_text(encoding="utf-8")
    bad = ("0 0.5 0.5 0.2", "9 0.5 0.5 0.2 0.2", "0 1.05 0.5 0.2 0.2", "1 0.5 0.4 0.6 0.5 0.5 0.6 0.4 0.5")
    rows_of(first).write_text(text + "\n".join(bad) + "\n" + text.splitlines()[0] + "\n", encoding="utf-8")
    rows_of(second).unlink()
    third.write_bytes(b"no picture")
    (folder / "train" / "labels" / "nobody.txt").write_text("", encoding="utf-8")
    shutil.copyfile(fourth, folder / "valid" / "images" / "leaked.jpg")
    shutil.copyfile(rows_of(fourth), folder / "valid" / "labels" / "leaked.txt")
    held = pictures(folder, "valid")[1]
    held.write_bytes(fifth.read_bytes() + b"again")  # another file, the same picture
    for split, source in (("train", fifth), ("valid", held)):
        name = f"gate_jpg.rf.{split}"
        source.rename(folder / split / "images" / f"{name}.jpg")
        rows_of(source).rename(folder / split / "labels" / f"{name}.txt")


def test_everything_is_mended_and_counted(small: Path, tmp_path: Path) -> None:
    spoil(small)
    before = state(small)
    mended = mend(small, tmp_path / "out")
    assert state(small) == before
    assert mended.done == {
        "box cut to the picture": 1,
        "label file without picture left out": 1,
        "picture left out: can't be read": 1,
        "picture left out: equal to another file": 1,
        "picture left out: no label file": 1,
        "picture left out: shows the same as a picture of valid": 1,
        "polygon made an upright box": 1,
        "repeated box dropped": 1,
        "row dropped: class": 1,
        "row dropped: fields": 1,
    }
    kept = list(read_export(tmp_path / "out"))  # strict: nothing is broken any more
    assert len(kept) == mended.pictures == 6
    assert sum(len(picture.boxes) for picture in kept) == mended.boxes
    assert "leaked.jpg" in {picture.path.name for picture in kept if picture.split == "valid"}
    report = json.loads((tmp_path / "out" / "mended.json").read_text(encoding="utf-8"))
    assert report["done"] == mended.done
    codes = {finding.code for finding in check(tmp_path / "out", CARD).findings}
    assert not codes & {"broken-row", "missing-label", "orphan-label", "unreadable-picture", "leak-copy"}


def test_a_training_picture_that_shows_a_held_out_one_leaves(small: Path, tmp_path: Path) -> None:
    leak(small, lambda image: cv2.flip(image, 1))
    mended = mend(small, tmp_path / "out")
    assert mended.done == {"picture left out: shows the same as a picture of valid": 1}
    assert mended.left_out == (("train/train_001.jpg", "shows the same as a picture of valid"),)
    assert "leak-copy" not in {finding.code for finding in check(tmp_path / "out", CARD).findings}


def test_boxes_and_pictures_that_are_whole_stay_as_they_are(small: Path, tmp_path: Path) -> None:
    mended = mend(small, tmp_path / "out")
    assert mended.done == {}
    for before, after in zip(read_export(small), read_export(tmp_path / "out"), strict=True):
        assert before.path.read_bytes() == after.path.read_bytes()
        for one, other in zip(before.boxes, after.boxes, strict=True):
            assert (one.label, one.cx, one.cy) == (other.label, pytest.approx(other.cx), pytest.approx(other.cy))


def test_a_coco_set_becomes_a_yolo_set(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "coco" / "train"
    folder.mkdir(parents=True)
    shutil.copyfile(pictures(small)[0], folder / "a.jpg")
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 480, "height": 480}],
        "categories": [{"id": 4, "name": "Worker"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 4, "bbox": [48, 48, 96, 192]},
            {"id": 2, "image_id": 1, "category_id": 4, "bbox": [48, 48, 0, 192]},
        ],
    }
    (folder / "_annotations.coco.json").write_text(json.dumps(document), encoding="utf-8")
    assert mend(folder.parent, tmp_path / "out").done == {"row dropped: size": 1}
    assert (tmp_path / "out/train/labels/a.txt").read_text(
        encoding="utf-8"
    ) == "0 0.200000 0.300000 0.200000 0.400000\n"
    assert [box.label for picture in read_export(tmp_path / "out") for box in picture.boxes] == ["Worker"]


def test_nothing_is_overwritten_or_half_written(small: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    with pytest.raises(DatasetError, match="is not empty"):
        mend(small, tmp_path / "full")
    for given in (small, small / "data.yaml"):
        with pytest.raises(DatasetError, match="lies in the set itself"):
            mend(given, small / "clean")

    def fail(name: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mend(small, tmp_path / "out", fail)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full", "set"]


def test_a_picture_that_list_files_put_in_two_splits_stays_in_one(small: Path, tmp_path: Path) -> None:
    trained, held = pictures(small, "train"), pictures(small, "valid")
    for name, listed in (("train.txt", trained), ("valid.txt", [*held, trained[0]])):
        (small / name).write_text("".join(f"{path}\n" for path in listed), encoding="utf-8")
    described = (small / "data.yaml").read_text(encoding="utf-8")
    described = described.replace("../train/images", "train.txt").replace("../valid/images", "valid.txt")
    (small / "data.yaml").write_text(described, encoding="utf-8")
    mended = mend(small, tmp_path / "out")
    assert mended.left_out == ((f"train/{trained[0].name}", "equal to another file"),)
    kept = [(picture.split, picture.path.name) for picture in read_export(tmp_path / "out")]
    assert ("valid", trained[0].name) in kept
    assert len(kept) == len(trained) + len(held)


def test_a_set_of_which_nothing_can_be_kept(small: Path, tmp_path: Path) -> None:
    for path in pictures(small):
        path.write_bytes(b"")
    with pytest.raises(DatasetError, match="nothing of it can be kept"):
        mend(small, tmp_path / "out")
    assert not (tmp_path / "out").exists()
