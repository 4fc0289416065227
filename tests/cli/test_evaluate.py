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
from tests.cli.test_lab import WIDE, WORKER, bare_head, manifest, misuse, refusal
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
    assert read_manifest(tmp_path / "manifest.json").thresholds.confidence["no-helmet"] == 0.2
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
