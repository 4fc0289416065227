"""Fixed cameras and equal names: what leaks across splits, and what a cleaned copy does about it."""

from __future__ import annotations

import re
import shutil
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import pytest

from service.lab.checking import joining, looking
from service.lab.checking.check import Checked, check
from service.lab.checking.looking import look_at_all
from service.lab.checking.mending import mend
from service.lab.checking.survey import Seen
from service.lab.checking.twins import twins
from service.lab.dataset.prepare import read_export
from service.ports import Image
from tests.lab import sites
from tests.lab.checks import found, leak, one
from tests.lab.sites import CARD, pictures, rows_of

pytestmark = pytest.mark.thorough


def camera(seed: int) -> Image:
    """Return the unmoving background of one fixed camera."""
    return sites.background(np.random.default_rng(seed))


def pasted(dice: np.random.Generator, scene: Image) -> sites.Drawn:
    """Paste one or two people, a third as high as drawn, into a camera's picture."""
    image = scene.copy()
    rows: list[sites.Row] = []
    for _ in range(int(dice.integers(1, 3))):
        drawn = sites.draw(dice)
        id_, x1, y1, x2, y2 = next(row for row in drawn.rows if row[0] == 4)
        left, top, right, bottom = (round(value * sites.SIDE) for value in (x1, y1, x2, y2))
        person = cv2.resize(drawn.image[top:bottom, left:right], None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
        height, width = person.shape[:2]
        x, y = (int(dice.integers(0, sites.SIDE - side)) for side in (width, height))
        image[y : y + height, x : x + width] = person
        corners = (value / sites.SIDE for value in (x, y, x + width, y + height))
        rows.append((id_, *corners))  # type: ignore[arg-type]
    grain = dice.integers(-4, 5, image.shape, dtype=np.int16)
    return sites.Drawn((image + grain).clip(0, 255).astype(np.uint8), tuple(rows))


def leaking(folder: Path) -> tuple[int, int]:
    """Return how many pictures of train a check says to leak, and of how many."""
    (finding,) = found(check(folder, CARD), "leak-copy")
    told = re.search(r"([\d,]+) of ([\d,]+) pictures of train", finding.what)
    assert told is not None
    return int(told[1]), int(told[2])


def fixed_camera(folder: Path, train: int = 60, valid: int = 12) -> Path:
    return sites.write_set(folder, train=train, valid=valid, one=lambda dice: pasted(dice, camera(5)))


def test_pictures_with_equal_names_are_not_equal_pictures(tmp_path: Path) -> None:
    folder = sites.write_set(tmp_path / "set", train=6, valid=6)
    for split in ("train", "valid"):
        for number, path in enumerate(pictures(folder, split)):
            rows_of(path).rename(rows_of(path).with_name(f"{number:06d}.txt"))
            path.rename(path.with_name(f"{number:06d}.jpg"))
    assert not found(check(folder, CARD), "leak-copy")
    mended = mend(folder, tmp_path / "out")
    assert (mended.pictures, mended.done) == (12, {})


def test_all_of_a_fixed_camera_leaks_and_only_a_new_split_mends_it(tmp_path: Path) -> None:
    folder = fixed_camera(tmp_path / "set")
    finding = one(check(folder, CARD), "leak-copy", "fault")
    assert (finding.count, finding.of, leaking(folder)) == (12, 12, (60, 60))
    assert "one scene" in finding.what.casefold()
    assert "by scene or by time" in finding.mend
    assert "`ppe dataset fix` leaves" in finding.mend
    mended = mend(folder, tmp_path / "out")
    assert mended.pictures == 72
    assert len(mended.undecided) == 60
    assert "needs a new split" in mended.undecided[0][1]
    assert leaking(tmp_path / "out") == (60, 60)


def settled(folder: Path, out: Path) -> Checked:
    """Mend a set, see that mending the copy again changes nothing, and return the copy's check."""
    mend(folder, out)
    again = mend(out, out.with_name(f"{out.name}-again"))
    assert again.left_out == ()
    return check(out, CARD)


def test_one_camera_of_several_that_stands_in_both_splits_is_taken_out_at_once(tmp_path: Path) -> None:
    def one_of_three(number: int, dice: np.random.Generator) -> sites.Drawn:
        return pasted(dice, camera(5)) if number % 3 == 0 else sites.draw(dice)

    numbers = count()
    folder = sites.write_set(tmp_path / "set", train=30, valid=12, one=lambda dice: one_of_three(next(numbers), dice))
    assert leaking(folder) == (10, 30)
    (finding,) = found(check(folder, CARD), "leak-copy")
    assert finding.rows[1] == ("1", "10", "4")
    assert "takes out 10 of train" in finding.mend
    assert not found(settled(folder, tmp_path / "out"), "leak-copy")
    assert len(pictures(tmp_path / "out", "train")) == 20


def test_single_copies_go_while_a_scene_that_fills_train_stays(tmp_path: Path) -> None:
    folder = fixed_camera(tmp_path / "set", train=24, valid=6)
    dice = np.random.default_rng(9)
    for name in ("first", "second"):
        source = sites.write(folder, "train", name, sites.draw(dice))
        target = folder / "valid" / "images" / f"{name}_again.jpg"
        image = cv2.imread(str(source))
        assert image is not None
        cv2.imwrite(str(target), image, [cv2.IMWRITE_JPEG_QUALITY, 70])
        shutil.copyfile(rows_of(source), rows_of(target))
    mended = mend(folder, tmp_path / "out")
    assert {name for name, _ in mended.left_out} == {"train/first.jpg", "train/second.jpg"}
    assert leaking(tmp_path / "out") == (24, 24)


def test_a_set_whose_whole_train_is_held_out_too_keeps_it(tmp_path: Path) -> None:
    folder = sites.write_set(tmp_path / "set", train=3, valid=0)
    shutil.copytree(folder / "train", folder / "valid")
    mended = mend(folder, tmp_path / "out")
    assert (mended.pictures, len(mended.undecided)) == (6, 3)
    assert "new split" in one(check(folder, CARD), "leak-copy", "fault").mend


def test_a_leak_among_many_pictures_of_another_camera(tmp_path: Path) -> None:
    """The nearest are compared, wherever in the set they stand."""
    folder = sites.write_set(tmp_path / "set", train=20, valid=4)
    leak(folder, lambda image: cv2.flip(image, 1))
    for number in range(12):
        sites.write(folder, "train", f"a_{number:02d}", pasted(np.random.default_rng(number), camera(5)))
    assert not found(settled(folder, tmp_path / "out"), "leak-copy")


@pytest.mark.parametrize("empty", [True, False], ids=["no labels", "another class"])
@pytest.mark.parametrize("split", ["train", "valid"])
def test_equal_pictures_whose_labels_differ_are_nobodys_to_settle(tmp_path: Path, split: str, empty: bool) -> None:
    folder = sites.write_set(tmp_path / "set", train=6, valid=3)
    source = pictures(folder, "train")[2]
    target = folder / split / "images" / "a_copy.jpg"
    shutil.copyfile(source, target)
    text = rows_of(source).read_text(encoding="utf-8")
    wrong = "" if empty else f"{1 - int(text[0])}{text[1:]}"  # the first row is a head: worn 0, bare 1
    rows_of(target).write_text(wrong, encoding="utf-8")
    finding = one(check(folder, CARD), "labels-differ", "fault")
    assert (finding.count, len(finding.examples)) == (2, 2)
    mended = mend(folder, tmp_path / "out")
    assert mended.pictures == 10
    assert {name for name, _ in mended.undecided} == {"train/train_002.jpg", f"{split}/a_copy.jpg"}
    assert mended.done == {"picture left as it is: equal to another file, whose labels differ": 2}


def test_equal_pictures_with_equal_labels_contradict_nobody(tmp_path: Path) -> None:
    folder = sites.write_set(tmp_path / "set", train=6, valid=3)
    source = pictures(folder, "train")[2]
    target = source.with_name("a_copy.jpg")
    shutil.copyfile(source, target)
    lines = rows_of(source).read_text(encoding="utf-8").splitlines()
    short = [" ".join([id_, *(f"{float(cell):.3f}" for cell in cells)]) for id_, *cells in map(str.split, lines)]
    rows_of(target).write_text("\n".join([*reversed(short), short[0]]), encoding="utf-8")
    checked = check(folder, CARD)
    assert one(checked, "duplicate-picture", "warning").count
    assert not found(checked, "labels-differ")
    assert mend(folder, tmp_path / "out").done["picture left out: equal to another file"] == 1


def test_comparisons_grow_with_the_pictures_and_not_with_their_square(tmp_path: Path) -> None:
    compared: dict[int, int] = {}
    for size in (24, 48):
        folder = fixed_camera(tmp_path / str(size), train=size, valid=size // 4)
        listed = list(read_export(folder))
        looks = look_at_all(listed, lambda _: None)
        seen = [Seen(picture, look) for picture, look in zip(listed, looks, strict=True) if look is not None]
        names: list[str] = []
        known = twins(seen, names.append)
        compared[size] = len(names)
        assert len(set(joining.scenes(seen, known.copies))) == 1
    assert compared[48] < 2.5 * compared[24] < 2.5 * 4 * 30


def test_several_processes_find_the_same_leaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fixed_camera(tmp_path / "set", train=12, valid=4)
    alone = found(check(folder, CARD), "leak-copy")
    monkeypatch.setattr(looking, "ALONE", 4)
    assert found(check(folder, CARD), "leak-copy") == alone
