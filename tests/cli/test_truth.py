"""``ppe dataset truth`` lists everybody who is undecided; ``cut`` cuts valid once, by scene."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from service.lab.splits import read_cut
from service.lab.truth import read_truth
from tests.cli.test_lab import CARD, WIDE, WORKER, card, export, refusal
from tests.cli.workers import run
from tests.lab.people import person, picture_set

__all__ = ["card"]


def test_all_that_is_undecided_is_said_and_written_to_be_completed(tmp_path: Path, card: Path) -> None:
    one, other = export(tmp_path / "one", rows="2 0.5 0.5 0.4 0.8\n"), tmp_path / "other.toml"
    other.write_text(CARD, encoding="utf-8")
    two = export(tmp_path / "two", rows="0 0.5 0.15 0.2 0.1\n")
    empty, doubts = tmp_path / "none.jsonl", tmp_path / "new" / "doubts.jsonl"
    empty.touch()
    sources = ("--source", f"{card}={one}", "--source", f"{other}={two}")
    command = ("dataset", "truth", *sources, "--out", tmp_path / "truth", "--decisions")
    result = run(*command, empty, "--doubts", doubts, **WIDE)
    assert result.exit_code == 2, result.output
    assert "a.jpg: person at 96, 24, 224, 216 is ambiguous" in result.stderr
    assert "a.jpg: helmet item at 128, 24, 192, 48 fits no person" in result.stderr
    assert not (tmp_path / "truth").exists()
    first, second = map(json.loads, doubts.read_text(encoding="utf-8").splitlines())
    first |= {"helmet": "missing", "vest": "not_judgeable", "why": "a cap"}
    second |= {"kind": "ignored_item", "why": "it lies on a table"}
    doubts.write_text(f"{json.dumps(first)}\n{json.dumps(second)}\n", encoding="utf-8")
    assert run(*command, doubts).exit_code == 0
    (row,) = read_truth(tmp_path / "truth" / "made.jsonl")
    assert [(one.helmet, one.vest, one.how) for one in row.people] == [("missing", "not_judgeable", "looked")]


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Four films of two frames each; in every second one somebody lacks a helmet."""
    rng = np.random.default_rng(1)
    folder = export(tmp_path / "export", rows="")
    (folder / "valid" / "images" / "a.jpg").unlink()
    for film in range(4):
        grey = rng.integers(0, 255, (9, 8), dtype=np.uint8)
        for frame in range(2):
            path = folder / "valid" / "images" / f"film{film}_mp4-{frame}.png"
            cv2.imwrite(str(path), np.asarray(cv2.resize(grey, (320, 240), interpolation=cv2.INTER_CUBIC)))
            head = 4 if film % 2 else 0
            rows = f"2 0.5 0.5 0.4 0.8\n{head} 0.5 0.15 0.1 0.1\n1 0.5 0.4 0.3 0.3\n"
            (folder / "valid" / "labels" / f"{path.stem}.txt").write_text(rows, encoding="utf-8")
    return folder


def test_valid_is_cut_by_scene_without_anything_but_labels(films: Path, card: Path, tmp_path: Path) -> None:
    before = sorted(path for path in films.rglob("*"))
    command = ("dataset", "cut", "--source", f"{card}={films}", "--out")
    result = run(*command, tmp_path / "splits", **WIDE)
    assert result.exit_code == 0, result.output
    said = "4 pictures of 2 scenes, 2 people without a helmet, 0 without a vest (by its labels: it has no person truth)"
    assert result.stdout.splitlines() == [f"made tune: {said}", f"made report: {said}"]
    rows = read_cut(tmp_path / "splits" / "made.jsonl")
    assert len({(row.scene, row.part) for row in rows}) == len({row.scene for row in rows}) == 4
    assert sorted(path for path in films.rglob("*")) == before
    assert run(*command, tmp_path / "again").exit_code == 0
    again = (tmp_path / "again" / "made.jsonl").read_bytes()
    assert again == (tmp_path / "splits" / "made.jsonl").read_bytes()


def test_a_cut_is_not_replaced_by_another(films: Path, card: Path, tmp_path: Path) -> None:
    command = ("dataset", "cut", "--source", f"{card}={films}", "--out", tmp_path / "splits")
    assert run(*command).exit_code == 0
    assert run(*command).exit_code == 0  # the same once more
    (films / "valid" / "images" / "film0_mp4-0.png").unlink()
    before = (tmp_path / "splits" / "made.jsonl").read_bytes()
    assert "made.jsonl: holds another cut" in refusal(run(*command))
    assert (tmp_path / "splits" / "made.jsonl").read_bytes() == before


def test_a_cut_keeps_its_report_from_training(films: Path, card: Path, tmp_path: Path) -> None:
    source = ("--source", f"{card}={films}")
    assert run("dataset", "cut", *source, "--out", tmp_path / "splits").exit_code == 0
    result = run("dataset", "prepare", *source, "--splits", tmp_path / "splits", "--out", tmp_path / "ppe", **WIDE)
    assert "4 pictures of made/valid are left out" in result.stdout
    assert len(list((tmp_path / "ppe" / "valid" / "images").iterdir())) == 4


def test_where_there_is_truth_the_cut_goes_by_it(tmp_path: Path) -> None:
    people = {"a.png": (person(WORKER[2], helmet="missing"),), "b.png": (person(WORKER[2]),)}
    source, truth = picture_set(tmp_path, people)
    path = tmp_path / "made.toml"
    path.write_text(CARD, encoding="utf-8")
    command = ("dataset", "cut", "--source", f"{path}={source.folder}", "--truth", truth.parent)
    result = run(*command, "--out", tmp_path / "splits", **WIDE)
    assert result.exit_code == 0, result.output
    assert "made tune: 2 pictures of 1 scenes, 1 people without a helmet, 0 without a vest\n" in result.stdout
    assert "all its pictures are one scene" in result.stderr


def test_cut_refuses(films: Path, card: Path, tmp_path: Path) -> None:
    source = ("--source", f"{card}={films}")
    for inside in (films, films / "valid" / "new"):
        assert "only read; give another folder" in refusal(run("dataset", "cut", *source, "--out", inside))
    assert not (films / "valid" / "new").exists()
    for path in (films / "valid" / "images").iterdir():
        path.rename(films / "train" / "images" / path.name)
    (films / "data.yaml").write_text("train: train/images\nnames: [Hard-Hat]\n", encoding="utf-8")
    assert "no valid split to cut" in refusal(run("dataset", "cut", *source, "--out", tmp_path / "out"))
    nowhere = run("dataset", "cut", "--source", f"{card}={tmp_path / 'no'}", "--out", tmp_path / "out")
    assert "no dataset here" in refusal(nowhere)
    assert not (tmp_path / "out").exists()
