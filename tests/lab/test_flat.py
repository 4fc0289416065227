"""Pictures of many folders in one: no name is lost, no label file overwritten, and flat sets keep their names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.lab.checking.mending import mend
from service.lab.dataset.faults import DatasetError
from service.lab.dataset.flat import flat_names, put
from service.lab.dataset.layouts import read_export
from service.lab.dataset.prepare import Source, prepare
from service.lab.dataset.records import Picture, Split
from tests.cli.workers import photo
from tests.lab.test_dataset import CARD
from tests.lab.test_yolo import config, label

NAMES = ["Hardhat", "NO-Hardhat", "Safety Vest", "NO-Safety Vest", "Person"]


def names(*paths: str, split: Split = "train") -> list[str]:
    return flat_names([Picture(Path("/set") / path, split, ()) for path in paths])


def cameras(root: Path, *pictures: str) -> Path:
    """A set of which each picture, named without ``train/images``, has a grey and one box of a class of its own."""
    for number, name in enumerate(pictures):
        photo(root / "train" / "images" / name, value=40 + 40 * number)
        label((root / "train" / "labels" / name).with_suffix(".txt"), f"{number} 0.5 0.5 0.2 0.2\n")
    config(root, train="train/images", names=NAMES)
    return root


def labels(root: Path) -> dict[str, list[str]]:
    """Return for each picture, by name, the labels of its boxes."""
    return {picture.path.name: [box.label for box in picture.boxes] for picture in read_export(root)}


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (("i/a.jpg", "i/b.png", "i/b.jpg"), ["a.jpg", "b.png", "b.jpg"]),
        (("i/cam1/a.jpg", "i/cam2/b.jpg"), ["a.jpg", "b.jpg"]),
        (("i/cam1/x.jpg", "i/cam2/x.jpg", "i/cam2/y.jpg"), ["cam1__x.jpg", "cam2__x.jpg", "y.jpg"]),
        (("i/cam1/x.rf.0a.jpg", "i/cam2/x.rf.0a.png"), ["cam1__x.rf.0a.jpg", "cam2__x.rf.0a.png"]),
        (("i/x.jpg", "i/cam1/x.jpg", "i/cam1__x.png"), ["x.jpg", "cam1__x__2.jpg", "cam1__x.png"]),
        (("i/a__b/x.jpg", "i/a/b/x.jpg"), ["a__b__x.jpg", "a__b__x__2.jpg"]),
        (("cam1/images/x.jpg", "cam2/images/x.jpg"), ["cam1__images__x.jpg", "cam2__images__x.jpg"]),
        (("i/cam1/x.jpg", "i/cam1/x.png", "i/cam2/x.jpg"), ["cam1__x.jpg", "cam1__x.png", "cam2__x.jpg"]),
    ],
)
def test_names_hold_folders_where_they_would_meet(paths: tuple[str, ...], expected: list[str]) -> None:
    assert names(*paths) == expected


def test_splits_are_apart() -> None:
    both: tuple[Split, ...] = ("train", "valid")
    assert flat_names([Picture(Path(f"/set/{split}/x.jpg"), split, ()) for split in both]) == ["x.jpg", "x.jpg"]


PATHS = st.lists(st.sampled_from(["a", "b", "a__b", "x", "x__2"]), min_size=1, max_size=4).map("/".join)


@given(st.lists(PATHS, unique=True, max_size=12))
def test_no_two_label_files_meet(paths: list[str]) -> None:
    found = names(*(f"{path}.jpg" for path in paths))
    assert len(set(found)) == len(paths)
    if len({path.rpartition("/")[0] for path in paths}) < 2:
        assert found == [f"{path.rpartition('/')[2]}.jpg" for path in paths]


@pytest.mark.parametrize("second", ["cam2/x.jpg", "cam2/x.png"])
def test_a_cleaned_copy_keeps_pictures_of_one_name(tmp_path: Path, second: str) -> None:
    folder = cameras(tmp_path / "set", "cam1/x.jpg", second, "cam2/y.jpg")
    mended = mend(folder, tmp_path / "out")
    assert mended.done == {"picture named by its folder too": 2}
    named = second.replace("/", "__")
    assert labels(tmp_path / "out") == {"cam1__x.jpg": NAMES[:1], named: NAMES[1:2], "y.jpg": NAMES[2:3]}


def test_what_is_left_out_is_named_so_that_it_can_be_told(tmp_path: Path) -> None:
    folder = cameras(tmp_path / "set", "cam1/x.jpg", "cam2/x.jpg")
    (folder / "train" / "images" / "cam2" / "x.jpg").write_bytes(b"no picture")
    assert mend(folder, tmp_path / "out").left_out == (("train/cam2__x.jpg", "can't be read"),)


@pytest.mark.parametrize("second", ["cam2/x.jpg", "cam2/x.png"])
def test_a_prepared_set_keeps_pictures_of_one_name(tmp_path: Path, second: str) -> None:
    folder = cameras(tmp_path / "set", "cam1/x.jpg", second, "cam2/y.jpg", "cam2/z.jpg", "cam2/p.jpg")
    prepare([Source(CARD, folder)], tmp_path / "out")
    found = labels(tmp_path / "out")
    assert found["made__cam1__x.jpg"] == ["helmet"]
    assert found[f"made__{second.replace('/', '__')}"] == ["no-helmet"]
    assert found["made__y.jpg"] == ["vest"]


def test_two_exports_of_one_card_may_hold_one_name(tmp_path: Path) -> None:
    folders = [cameras(tmp_path / name, "x.jpg", "y.jpg", "z.jpg", "p.jpg", "q.jpg") for name in ("one", "two")]
    prepare([Source(CARD, folder) for folder in folders], tmp_path / "out")
    assert len(labels(tmp_path / "out")) == 10


def test_a_label_file_is_never_overwritten_with_other_rows(tmp_path: Path) -> None:
    pair = [Picture(photo(tmp_path / f"x{suffix}"), "train", ()) for suffix in (".jpg", ".png")]
    put(tmp_path / "out", pair[0], "x.jpg", "0 0.5 0.5 0.2 0.2\n")
    with pytest.raises(DatasetError, match="shares its label file with another picture"):
        put(tmp_path / "out", pair[1], "x.png", "")
    put(tmp_path / "out", pair[1], "x.png", "0 0.5 0.5 0.2 0.2\n")
    with pytest.raises(DatasetError, match="stands twice"):
        put(tmp_path / "out", pair[1], "x.png", "0 0.5 0.5 0.2 0.2\n")
