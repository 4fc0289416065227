"""``ppe evaluate`` beyond what `test_lab` asks of it: parts of valid, two models, a page."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import Result

from service.detectors.manifest import read_manifest
from service.lab.splits import CutPicture, write_cut
from service.lab.truth import read_truth
from tests.cli.test_lab import CARD, WIDE, WORKER, bare_head, export, manifest, misuse, refusal
from tests.cli.workers import run
from tests.lab.people import person, picture_set


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    """Two pictures: one tunes, one reports; on both a bare head is seen, and truly there on the first."""
    people = {"a.png": (person(WORKER[2], helmet="missing"),), "b.png": (person(WORKER[2]),)}
    source, truth = picture_set(tmp_path, people)
    (tmp_path / "exports").mkdir()
    source.folder.rename(tmp_path / "exports" / "generic")
    truth = truth.rename(truth.with_name("generic.jsonl"))
    rows = read_truth(truth)
    (tmp_path / "splits").mkdir()
    parts = [
        CutPicture(row.picture, row.sha256, row.picture, "report" if row.picture == "b.png" else "tune") for row in rows
    ]
    write_cut(tmp_path / "splits" / "generic.jsonl", parts)
    return tmp_path / "exports"


def evaluated(exports: Path, *options: str | Path, weights: Path | None = None) -> Result:
    folder = exports.parent
    given = ("--data", exports, "--truth", folder / "truth", "--splits", folder / "splits")
    return run("evaluate", *given, "--weights", weights or manifest(folder), *options, see=bare_head, **WIDE)


def found(folder: Path) -> dict[str, dict[str, object]]:
    read: dict[str, dict[str, object]] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return read


def test_the_parts_of_valid_are_reported_apart(exports: Path, tmp_path: Path) -> None:
    result = evaluated(exports, "--no-boxes", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    people = found(tmp_path / "out")["people"]
    assert list(people) == ["generic/tune", "generic/report", "all/tune", "all/report", "all/valid+test"]
    assert "| generic | nothing | CROSS-SOURCE |" in result.stdout
    assert not list(tmp_path.rglob("report.html"))


def test_people_are_counted_as_the_service_sees_them_too(exports: Path, tmp_path: Path) -> None:
    assert evaluated(exports, "--no-boxes", "--out", tmp_path / "out").exit_code == 0
    read = found(tmp_path / "out")
    assert read["served"] == read["people"]  # the stand-in looks once
    assert "## People: as served" in (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert evaluated(exports, "--no-boxes", "--second-look", "0", "--out", tmp_path / "out").exit_code == 0
    assert "served" not in found(tmp_path / "out")


def test_tune_only_reads_nothing_else(exports: Path, tmp_path: Path) -> None:
    (exports / "generic" / "valid" / "images" / "b.png").write_bytes(b"not even a picture")
    result = evaluated(exports, "--no-boxes", "--tune-only", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert list(found(tmp_path / "out")["people"]) == ["generic/tune", "all/tune"]


def test_thresholds_are_chosen_on_tune(exports: Path, tmp_path: Path) -> None:
    """On tune every alarm is right, so the threshold is in the middle of those under 0.41, where the head is seen."""
    result = evaluated(exports, "--no-boxes", "--choose-thresholds")
    assert result.exit_code == 0, result.output
    kept = read_manifest(tmp_path / "manifest.json")
    assert kept.thresholds.confidence["no-helmet"] == 0.2
    assert "missing helmet: precision 1.00 (asked 0.90), 1 of 1 who lack it are found" in result.stdout
    assert "missing vest: nobody is said to lack it" in result.stdout
    assert kept.scores["thresholds"]["asked_precision"] == 0.90
    assert kept.scores["thresholds"]["helmet"]["precision"] == 1.0
    assert kept.scores["thresholds"]["vest"]["precision"] is None
    assert "--precision" in misuse(evaluated(exports, "--no-boxes", "--precision", "1.5"))


def test_boxes_are_measured_without_torch(exports: Path, tmp_path: Path) -> None:
    labels = exports / "generic" / "valid" / "labels"
    labels.mkdir()
    (labels / "a.txt").write_text("2 0.25 0.5 0.1875 0.75\n", encoding="utf-8")
    result = evaluated(exports, "--no-pt", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    read = found(tmp_path / "out")
    assert read["boxes"]["generic/tune"]["ap"]["published"]["AP50 person"] == 1.0  # type: ignore[index]
    assert "parity" not in read  # what is measured here is a stand-in, no graph
    assert "| generic/tune | one convention | 1.000 | - | - | - | - | 1.000 |" in result.stdout


def test_two_models_are_compared_on_tune(exports: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = manifest(tmp_path / "other")
    result = evaluated(exports, "--no-boxes", "--against", other, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    differences = found(tmp_path / "out")["against"]["differences"]
    assert list(differences) == ["all/tune", "generic/tune"]  # type: ignore[call-overload]
    row = differences["all/tune"]["recall of missing helmet"]  # type: ignore[index]
    assert row == {"one": 1.0, "other": 1.0, "difference": 0.0, "low": None, "high": None, "scenes": 1}
    assert "| all/tune | recall of missing helmet | 1.000 | 1.000 | +0.000 | - | 1 |" in result.stdout


def test_the_page_is_written_where_it_is_asked_for(exports: Path, tmp_path: Path) -> None:
    result = evaluated(exports, "--no-pt", "--html", tmp_path / "private")
    assert result.exit_code == 0, result.output
    assert "do not publish it" in result.stderr
    assert "<svg" in (tmp_path / "private" / "report.html").read_text(encoding="utf-8")


def test_without_what_makes_a_page_it_says_so_first(
    exports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    result = evaluated(exports, "--no-boxes", "--html", tmp_path / "private")
    assert "pip install 'ppe-monitor[lab]'" in refusal(result)
    assert not (tmp_path / "private").exists()


def test_a_cut_that_does_not_fit_is_refused(exports: Path, tmp_path: Path) -> None:
    (tmp_path / "splits" / "generic.jsonl").write_text("{}\n", encoding="utf-8")
    assert "generic.jsonl:1: not a row of a cut" in refusal(evaluated(exports, "--no-boxes"))


def test_a_set_of_ones_own_needs_no_truth(tmp_path: Path) -> None:
    """On both pictures the labels hold one worker without a helmet; the model sees so."""
    folder = export(tmp_path / "export", rows="2 0.4 0.5 0.4 0.8\n4 0.4 0.15 0.1 0.1\n")
    (tmp_path / "mine.toml").write_text(CARD, encoding="utf-8")
    given = ("--weights", manifest(tmp_path), "--source", f"{tmp_path / 'mine.toml'}={folder}")
    result = run("evaluate", "--no-pt", *given, "--out", tmp_path / "out", "--html", tmp_path / "html", **WIDE)
    assert result.exit_code == 0, result.output
    assert "**mine has no person truth.**" in result.stdout
    assert "**mine has no person truth.**" in (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    html = (tmp_path / "html" / "report.html").read_text(encoding="utf-8")
    assert html.index("mine has no person truth.") < html.index("Thresholds: ") < html.index("<h2")
    read = found(tmp_path / "out")
    assert read["people_from"] == {"mine": "labels"}
    helmet = read["people"]["mine/valid"]["all"]["helmet"]  # type: ignore[index]
    assert (helmet["missing"], helmet["worn"]) == (1, 0)
    assert "AP50 person" in read["boxes"]["mine/valid"]["ap"]["published"]  # type: ignore[index]
    chosen = run("evaluate", "--no-boxes", "--choose-thresholds", *given, **WIDE)
    assert chosen.exit_code == 0, chosen.output
    assert "missing helmet: " in chosen.stdout


def test_data_may_be_an_export_itself(tmp_path: Path) -> None:
    folder = export(tmp_path / "export", rows="2 0.4 0.5 0.4 0.8\n4 0.4 0.15 0.1 0.1\n")
    command = ("evaluate", "--no-boxes", "--weights", manifest(tmp_path), "--data", folder)
    assert "**generic has no person truth.**" in run(*command, **WIDE).stdout
    (folder / "mine.toml").write_text(CARD, encoding="utf-8")
    assert "**mine has no person truth.**" in run(*command, **WIDE).stdout


def test_a_picture_that_cannot_be_judged_is_named(tmp_path: Path) -> None:
    folder = export(tmp_path / "export")
    (folder / "valid" / "images" / "a.jpg").write_bytes(b"half a picture")
    given = ("--weights", manifest(tmp_path), "--source", f"generic={folder}")
    assert "a.jpg: can't be judged: " in refusal(run("evaluate", "--no-boxes", *given))
