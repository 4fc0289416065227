"""``ppe dataset check`` and ``fix``: files, words and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.workers import run, two_workers
from tests.lab import sites
from tests.lab.sites import pictures, rewrite, rows_of

CARD = """\
title = "Drawn sites"
publisher = "a test"
version = "1"
licence = "none"
how_to_get = "run the test"
people_labelled = true
judgement = "Drawn, not seen."
[labels]
"Hard Hat" = "helmet"
"Bare Head" = "no-helmet"
"Hi-Vis" = "vest"
"Plain Shirt" = "no-vest"
"Worker" = "person"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return sites.write_set(tmp_path / "set", train=6, valid=3)


@pytest.fixture
def card(tmp_path: Path) -> Path:
    path = tmp_path / "drawn.toml"
    path.write_text(CARD, encoding="utf-8")
    return path


def test_check_of_a_clean_set(folder: Path, card: Path, tmp_path: Path) -> None:
    result = run("dataset", "check", folder, "--card", card, "--out", tmp_path / "new" / "out")
    assert result.exit_code == 0, result.output
    assert all(line.startswith("note ") for line in result.stdout.splitlines())
    assert "9 pictures in" in result.stderr
    assert "check.html" in result.stderr
    assert "Drawn, not seen." in (tmp_path / "new" / "out" / "check.html").read_text(encoding="utf-8")
    written = json.loads((tmp_path / "new" / "out" / "check.json").read_text(encoding="utf-8"))
    assert (written["card"], written["imgsz"], written["pictures"]) == ("drawn", 640, {"train": 6, "valid": 3})


def test_check_fails_on_a_fault_and_not_on_a_warning(folder: Path, card: Path, tmp_path: Path) -> None:
    rows_of(pictures(folder)[0]).unlink()
    command = ("dataset", "check", folder, "--card", card, "--out", tmp_path / "out")
    result = run(*command)
    assert result.exit_code == 0, result.output
    assert "warning missing-label" in result.stdout
    rewrite(folder, lambda rows: [*rows, ["0", "1"]], "valid")
    result = run(*command)
    assert result.exit_code == 1, result.output
    assert result.stdout.startswith("fault   broken-row")


def test_check_takes_the_card_named_like_the_folder(folder: Path, tmp_path: Path) -> None:
    same = folder.rename(tmp_path / "construction-site-safety")
    result = run("dataset", "check", same, "--out", tmp_path / "out")
    assert "card construction-site-safety" in " ".join(result.stderr.split())
    assert "fault   label-not-in-card" in result.stdout


def test_check_with_a_model(folder: Path, card: Path, tmp_path: Path) -> None:
    weights = tmp_path / "manifest.json"
    options = ("--card", card, "--out", tmp_path / "out", "--weights", weights)
    result = run("dataset", "check", folder, *options, see=two_workers)
    assert result.exit_code == 0, result.output
    assert "model-missing-box" in result.stdout


@pytest.mark.parametrize("command", [("check",), ("fix", "out")])
def test_what_is_no_dataset_is_refused(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "empty").mkdir()
    name, *rest = command
    result = run("dataset", name, tmp_path / "empty", *(tmp_path / one for one in rest))
    assert result.exit_code == 2, result.output
    assert "no dataset here" in result.stderr
    assert not (tmp_path / "out").exists()


def test_fix_writes_a_copy_and_says_what_it_did(folder: Path, tmp_path: Path) -> None:
    rewrite(folder, lambda rows: [*rows, rows[0]], "train")
    result = run("dataset", "fix", folder, tmp_path / "out", COLUMNS="300")
    assert result.exit_code == 0, result.output
    assert "     6 repeated box dropped" in result.stdout
    assert "wrote 9 pictures with" in result.stdout
    assert (tmp_path / "out" / "data.yaml").is_file()


def test_fix_overwrites_nothing(folder: Path) -> None:
    result = run("dataset", "fix", folder, folder)
    assert result.exit_code == 2
    assert "is not empty" in result.stderr


def test_cards_show_the_judgement() -> None:
    said = run("dataset", "cards", COLUMNS="300").stdout
    assert "safety-vest-v4: Small and one-purpose" in said
