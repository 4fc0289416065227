"""Planted faults of pictures: each is found."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from service.lab.checking.check import check
from service.lab.checking.findings import Code
from service.ports import Image
from tests.lab import sites
from tests.lab.checks import cut_out, found, leak, one
from tests.lab.sites import CARD, pictures, repaint, rows_of

pytestmark = pytest.mark.thorough


@pytest.mark.parametrize(
    "paint",
    [
        lambda image: image,
        lambda image: cv2.convertScaleAbs(image, alpha=0.7, beta=20),
        lambda image: cv2.flip(image, 1),
        lambda image: cv2.resize(image[40:440, 30:460], (480, 480)),
    ],
    ids=["copy", "darker", "mirrored", "cut"],
)
def test_a_leaked_picture(small: Path, paint: Callable[[Image], Image]) -> None:
    leak(small, paint)
    finding = one(check(small, CARD), "leak-copy", "fault")
    assert finding.count == 1
    assert finding.examples[0].beside is not None


def test_copies_of_one_base_name_leak(small: Path) -> None:
    source = pictures(small, "train")[0]
    for split, name in (("train", "gate_jpg.rf.a1"), ("valid", "gate_jpg.rf.b2")):
        target = small / split / "images" / f"{name}.jpg"
        shutil.copyfile(source, target)
        with target.open("ab") as file:
            file.write(name.encode())  # another file, the same picture
        shutil.copyfile(rows_of(source), rows_of(target))
    assert "one base name" in one(check(small, CARD), "leak-copy", "fault").examples[0].caption


def test_equal_files_in_one_split(small: Path) -> None:
    source = pictures(small, "train")[0]
    target = source.with_name("again.jpg")
    shutil.copyfile(source, target)
    shutil.copyfile(rows_of(source), rows_of(target))
    (finding,) = found(check(small, CARD), "duplicate-picture")
    assert finding.count == 1


def test_a_video_in_two_splits(small: Path) -> None:
    for number, path in enumerate((*pictures(small, "train")[:6], *pictures(small, "valid")[:4])):
        rows_of(path).rename(rows_of(path).with_name(f"yard_mp4-{number}_jpg.rf.{number}.txt"))
        path.rename(path.with_name(f"yard_mp4-{number}_jpg.rf.{number}.jpg"))
    finding = one(check(small, CARD), "leak-video", "fault")
    assert (finding.count, finding.of) == (4, 10)
    assert finding.rows[1] == ("yard", "6", "4")


def test_augmented_copies(small: Path) -> None:
    for path in pictures(small, "train"):
        image = cv2.imread(str(path))
        assert image is not None
        for copy_ in ("a", "b"):
            target = path.with_name(f"{path.stem}_jpg.rf.{copy_}.jpg")
            cv2.imwrite(str(target), cv2.convertScaleAbs(image, alpha=0.9 if copy_ == "a" else 0.8))
            shutil.copyfile(rows_of(path), rows_of(target))
        rows_of(path).unlink()
        path.unlink()
    assert one(check(small, CARD), "augmented-copies", "warning").count == 14


@pytest.mark.parametrize(
    ("code", "paint"),
    [
        ("blurred", lambda image: cv2.GaussianBlur(image, (0, 0), 3)),
        ("grey", lambda image: cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)),
        ("low-resolution", lambda image: cv2.resize(image, (240, 240), interpolation=cv2.INTER_AREA)),
    ],
)
def test_bad_pictures(small: Path, code: Code, paint: Callable[[Image], Image]) -> None:
    repaint(small, paint)
    assert one(check(small, CARD), code, "warning").count == 24


def test_dark_pictures(small: Path) -> None:
    repaint(small, lambda image: (image * 0.2).astype(np.uint8))
    assert one(check(small, CARD), "dark", "note").count == 24


def salted(image: Image) -> Image:
    dice = np.random.default_rng(int(image.sum()) % 1000)
    places = dice.random(image.shape[:2])
    image[places < 0.015] = 0
    image[places > 0.985] = 255
    return image


@pytest.mark.parametrize(("code", "paint"), [("cut-outs", cut_out), ("noise", salted)])
def test_traces_of_augmentation(small: Path, code: Code, paint: Callable[[Image], Image]) -> None:
    repaint(small, paint, "train")
    assert one(check(small, CARD), code, "warning").count == 14


def test_mosaics(small: Path) -> None:
    images = [cv2.imread(str(path)) for path in pictures(small)]
    turns = iter(range(len(images)))

    def mosaic(image: Image) -> Image:
        turn = next(turns)
        x, y = 200 + 5 * (turn % 12), 260 - 4 * (turn % 11)
        others = [images[(turn + step) % len(images)] for step in (5, 11, 17)]
        made = image.copy()
        for other, (rows, columns) in zip(
            others,
            (((0, y), (x, 480)), ((y, 480), (0, x)), ((y, 480), (x, 480))),
            strict=True,
        ):
            assert other is not None
            made[rows[0] : rows[1], columns[0] : columns[1]] = other[rows[0] : rows[1], columns[0] : columns[1]]
        return made

    repaint(small, mosaic)
    assert one(check(small, CARD), "mosaic", "warning").count >= 20


def test_one_scene(tmp_path: Path) -> None:
    scene = sites.background(np.random.default_rng(5))
    dice = iter(range(1000))

    def half(rng: np.random.Generator) -> sites.Drawn:
        return sites.draw(rng, scene=scene if next(dice) % 2 else None)

    folder = sites.write_set(tmp_path / "set", train=32, valid=0, one=half)
    (folder / "data.yaml").write_text(f"train: train/images\nnames: [{', '.join(sites.NAMES)}]\n", encoding="utf-8")
    checked = check(folder, CARD)
    assert one(checked, "one-scene", "warning").count >= 10
    assert one(checked, "no-held-out-split", "note")
