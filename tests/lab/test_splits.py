"""Valid is cut once: no scene in both parts, the same cut every time, and the committed lists are of the truth."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.lab.dataset.faults import DatasetError
from service.lab.splits import CutPicture, cut, make_cut, read_cut, read_joined, scenes, stem, write_cut
from service.lab.truth import TruthPicture, read_truth
from service.settings import shipped
from tests.lab.people import person, picture_set

SPLITS = shipped("datasets") / "splits"
CARDS = [path.stem for path in sorted(SPLITS.glob("*.jsonl"))]
BOX = (10.0, 10.0, 60.0, 200.0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("IMG_3103_mp4-16_jpg.rf.d31a50.jpg", "IMG_3103"),
        ("Mask2_mov-11_jpg.rf.34ddcb.jpg", "Mask2"),
        ("RPReplay_Final1667001201_MP4-454_jpg.rf.7402.jpg", "RPReplay_Final1667001201"),
        ("construction-1-_mp4-147_jpg.rf.a906.jpg", "construction-1-"),
        ("ppe_0006_jpg.rf.c30b65.jpg", "ppe_0006"),
        ("-1079-_png_jpg.rf.1909.jpg", "-1079-_png"),
        ("plain.png", "plain"),
    ],
)
def test_what_a_name_says_about_the_scene(name: str, expected: str) -> None:
    assert stem(name) == expected


def bits(*ones: int) -> np.ndarray:
    return np.isin(np.arange(64), ones)


def test_near_duplicates_and_what_the_eye_joins_are_one_scene() -> None:
    hashes = {
        "a.png": bits(),
        "b.png": bits(*range(10)),
        "c.png": bits(*range(20)),
        "d.png": bits(*range(40, 64)),
        "e_mp4-1.png": bits(*range(0, 64, 2)),
        "e_mp4-9.png": bits(*range(1, 64, 2)),
    }
    found = scenes(hashes)
    assert found["a.png"] == found["b.png"] == found["c.png"] == "a"  # each step is near, so all hang together
    assert found["d.png"] == "d"
    assert found["e_mp4-1.png"] == found["e_mp4-9.png"] == "e"
    assert scenes(hashes, [["d", "e_"]])["e_mp4-9.png"] == "d"
    assert scenes({}) == {}


@st.composite
def truths(draw: st.DrawFn) -> tuple[list[TruthPicture], dict[str, str]]:
    rows, named = [], {}
    for number in range(draw(st.integers(0, 30))):
        states = draw(st.lists(st.sampled_from(["worn", "missing", "not_judgeable"]), max_size=4))
        people = tuple(person(BOX, helmet=state, vest=state) for state in states)  # type: ignore[arg-type]
        rows.append(TruthPicture(f"{number}.png", "valid", "0" * 64, 640, 480, people))
        named[f"{number}.png"] = f"scene {draw(st.integers(0, 12))}"
    return rows, named


@given(truths(), st.randoms(use_true_random=False))
def test_the_cut_is_deterministic_and_whole(drawn: tuple[list[TruthPicture], dict[str, str]], rng: object) -> None:
    rows, named = drawn
    parts = cut(rows, named)
    shuffled = list(rows)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assert cut(shuffled, named) == parts
    assert set(parts) == set(named.values())


def test_equal_scenes_are_shared_out_evenly() -> None:
    people = (person(BOX, helmet="missing", vest="missing"),)
    rows = [TruthPicture(f"{number}.png", "valid", "0" * 64, 640, 480, people) for number in range(20)]
    parts = cut(rows, {row.picture: row.picture for row in rows})
    assert Counter(parts.values()) == {"tune": 10, "report": 10}


def test_a_list_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = [CutPicture("a.png", "0" * 64, "a", "tune"), CutPicture("ü.png", "f" * 64, "a", "tune")]
    write_cut(tmp_path / "made.jsonl", rows)
    assert read_cut(tmp_path / "made.jsonl") == rows


def test_what_is_no_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "made.jsonl"
    with pytest.raises(DatasetError, match="can't read this list"):
        read_cut(path)
    path.write_text('{"picture": "a.png"}\n', encoding="utf-8")
    with pytest.raises(DatasetError, match=r"made\.jsonl:1: not a row of a cut"):
        read_cut(path)
    with pytest.raises(DatasetError, match="can't read these scenes"):
        read_joined(path)


def test_pictures_are_cut_by_what_they_show(tmp_path: Path) -> None:
    """Two greys and a copy are one scene by their hashes; a gradient is another."""
    source, truth = picture_set(tmp_path, {name: (person(BOX),) for name in ("a.png", "b.png", "c.png")})
    rows = read_truth(truth)
    images = source.folder / "valid" / "images"
    assert {row.scene for row in make_cut(rows, images)} == {"a"}
    ramp = np.repeat(np.tile(np.arange(640) * 255 // 639, (480, 1))[..., None], 3, axis=2).astype(np.uint8)
    cv2.imwrite(str(images / "b.png"), ramp)
    with pytest.raises(DatasetError, match=r"b\.png: is not there, or is not the picture that was judged"):
        make_cut(rows, images)


def test_there_is_a_list_for_every_valid_split_with_truth() -> None:
    judged = sorted((shipped("datasets") / "truth").glob("construction-*.jsonl"))
    assert [path.stem for path in judged] == CARDS
    assert set(read_joined(SPLITS / "scenes.toml")) <= set(CARDS)


@pytest.mark.parametrize("card", CARDS)
def test_the_committed_list_is_of_the_truth(card: str) -> None:
    truth = [row for row in read_truth(shipped("datasets") / "truth" / f"{card}.jsonl") if row.split == "valid"]
    rows = read_cut(SPLITS / f"{card}.jsonl")
    assert {(row.picture, row.sha256) for row in rows} == {(row.picture, row.sha256) for row in truth}
    assert len(rows) == len(truth)


@pytest.mark.parametrize("card", CARDS)
def test_no_scene_is_in_both_parts(card: str) -> None:
    rows = read_cut(SPLITS / f"{card}.jsonl")
    parts = {(row.scene, row.part) for row in rows}
    assert len(parts) == len({row.scene for row in rows})
    assert len({(stem(row.picture), row.part) for row in rows}) == len({stem(row.picture) for row in rows})
    joined = read_joined(SPLITS / "scenes.toml").get(card, [])
    for beginnings in joined:
        assert len({row.part for row in rows if row.picture.startswith(tuple(beginnings))}) == 1


@pytest.mark.parametrize("card", CARDS)
def test_the_parts_are_about_halves(card: str) -> None:
    parts = {row.picture: row.part for row in read_cut(SPLITS / f"{card}.jsonl")}
    truth = [row for row in read_truth(shipped("datasets") / "truth" / f"{card}.jsonl") if row.split == "valid"]
    for what in ("helmet", "vest"):
        lacking = Counter[str]()
        for row in truth:
            lacking[parts[row.picture]] += sum(getattr(one, what) == "missing" for one in row.people)
        assert abs(lacking["tune"] - lacking["report"]) <= 0.1 * lacking.total() + 1
    assert abs(Counter(parts.values())["tune"] - len(parts) / 2) <= 0.05 * len(parts)


@pytest.mark.parametrize("card", CARDS)
def test_the_list_is_made_again_byte_for_byte(card: str, datasets: Path, tmp_path: Path) -> None:
    images = datasets / card / "valid" / "images"
    if not images.is_dir():
        pytest.skip("needs the development datasets (PPE_TEST_DATA), which are not there")
    truth = read_truth(shipped("datasets") / "truth" / f"{card}.jsonl")
    rows = make_cut(truth, images, read_joined(SPLITS / "scenes.toml").get(card, ()))
    write_cut(tmp_path / "again.jsonl", rows)
    assert (tmp_path / "again.jsonl").read_bytes() == (SPLITS / f"{card}.jsonl").read_bytes()
