"""The lab's commands: what they write and print, and that what a user can mend is one sentence and exit code 2."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import pytest
from click.testing import Result

from service.detectors.manifest import Kind, Manifest, WeightsFile, read_manifest, write_manifest
from service.lab.truth import read_truth
from service.ports import Image
from service.safety.detections import Detections
from service.safety.equipment import CLASSES
from service.safety.thresholds import Thresholds
from service.settings import shipped
from tests.cli.workers import photo, run
from tests.conftest import ROOT
from tests.lab.people import person, picture_set
from tests.safety.scenes import head_of, person_at, scene, torso_of

WIDE = {"COLUMNS": "300"}
WORKER = person_at(100, 60, 120, 360)
CARD = """\
title = "Made up"
publisher = "a test"
version = "1"
licence = "none"
how_to_get = "run the test"
people_labelled = true
[labels]
"hard hat" = "helmet"
"bare head" = "no-helmet"
"safety vest" = "vest"
"plain shirt" = "no-vest"
"worker" = "person"
"""


def refusal(result: Result) -> str:
    """Return the one sentence with which a command refused."""
    assert result.exit_code == 2, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    (sentence,) = result.stderr.splitlines()
    assert sentence.startswith("ppe: ")
    return sentence


def misuse(result: Result) -> str:
    """Return what was said about options that make no sense together."""
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    return " ".join(result.stderr.replace("│", " ").split())


def export(folder: Path, rows: str = "2 0.5 0.5 0.4 0.8\n0 0.5 0.15 0.2 0.1\n1 0.5 0.4 0.3 0.3\n") -> Path:
    """Write an export of two pictures; the second has no label file."""
    for split in ("train", "valid"):
        photo(folder / split / "images" / "a.jpg")
    (folder / "valid" / "labels").mkdir()
    (folder / "valid" / "labels" / "a.txt").write_text(rows, encoding="utf-8")
    names = "names: [Hard-Hat, Safety Vest, worker, cone, Bare Head, Plain Shirt]\n"
    described = f"train: ../train/images\nval: ../valid/images\n{names}"
    (folder / "data.yaml").write_text(described, encoding="utf-8")
    return folder


@pytest.fixture
def card(tmp_path: Path) -> Path:
    path = tmp_path / "made.toml"
    path.write_text(CARD, encoding="utf-8")
    return path


def test_cards_are_listed_with_their_licence() -> None:
    result = run("dataset", "cards", **WIDE)
    assert result.exit_code == 0
    assert all(path.stem in result.stdout for path in shipped("datasets").glob("*.toml"))
    assert "CC BY 4.0" in result.stdout


def test_card_names_are_whole_in_a_narrow_terminal() -> None:
    assert "construction-safety-rf100" in run("dataset", "cards", COLUMNS="80").stdout


def test_prepare_writes_a_dataset_and_counts(tmp_path: Path, card: Path) -> None:
    folder = export(tmp_path / "export", rows="2 0.5 0.5 0.4 0.8\n0 0.5 0.15 0.2 0.1\n3 0.1 0.1 0.1 0.1\n")
    result = run("dataset", "prepare", "--source", f"{card}={folder}", "--out", tmp_path / "ppe", **WIDE)
    assert result.exit_code == 0, result.output
    rows = {cells[0]: cells[1:] for cells in map(str.split, result.stdout.replace("│", " ").splitlines()) if cells}
    assert rows["made/valid"] == ["1", "1", "0", "0", "0", "1"]
    assert rows["made/train"] == ["1", "0", "0", "0", "0", "0"]
    assert "dropped 1 boxes made/cone: the card does not name it" in result.stdout
    assert "1 pictures of made/train have no label file: taken as background" in result.stdout
    assert (tmp_path / "ppe" / "valid" / "labels" / "made__a.txt").read_text(encoding="utf-8").startswith("4 0.5")
    assert (tmp_path / "ppe" / "data.yaml").is_file()


def test_truth_is_made_into_a_new_folder(tmp_path: Path, card: Path) -> None:
    folder, decisions = export(tmp_path / "export"), tmp_path / "decisions.jsonl"
    decisions.touch()
    out = tmp_path / "new" / "truth"
    result = run("dataset", "truth", "--source", f"{card}={folder}", "--out", out, "--decisions", decisions)
    assert result.exit_code == 0, result.output
    assert result.stdout == "made: 1 people on 1 pictures\n"
    (row,) = read_truth(out / "made.jsonl")
    assert [(one.helmet, one.vest, one.how) for one in row.people] == [("worn", "worn", "rule")]


def test_truth_that_nobody_decided_is_refused(tmp_path: Path, card: Path) -> None:
    folder, decisions = export(tmp_path / "export", rows="2 0.5 0.5 0.4 0.8\n"), tmp_path / "decisions.jsonl"
    decisions.touch()
    result = run("dataset", "truth", "--source", f"{card}={folder}", "--out", tmp_path, "--decisions", decisions)
    assert result.exit_code == 2, result.output
    assert "a.jpg: person at 96, 24, 224, 216 is ambiguous (0 helmet items, 0 vest items) and is undecided" in (
        result.stderr
    )
    assert not (tmp_path / "made.jsonl").exists()


SOURCES = [
    ("{card}=nowhere", "nowhere: no dataset here: expected a data.yaml"),
    ("unheard-of={folder}", "unheard-of.toml: can't read this card"),
    ("{tmp}/bad.toml={folder}", "bad.toml: not a dataset card"),
    ("{tmp}/latin.toml={folder}", "latin.toml: not valid TOML"),
    ("{tmp}/broken.toml={folder}", "broken.toml: not valid TOML"),
]


@pytest.mark.parametrize("command", ["prepare", "truth"])
@pytest.mark.parametrize(("source", "said"), SOURCES)
def test_a_source_that_cannot_be_read(tmp_path: Path, card: Path, command: str, source: str, said: str) -> None:
    (tmp_path / "bad.toml").write_text("title = 'x'\n", encoding="utf-8")
    (tmp_path / "latin.toml").write_bytes("title = 'Köln'\n".encode("latin-1"))
    (tmp_path / "broken.toml").write_text("title = \n", encoding="utf-8")
    named = source.format(card=card, folder=export(tmp_path / "export"), tmp=tmp_path)
    result = run("dataset", command, "--source", named, "--out", tmp_path / "out")
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("source", ["css", "css=", "=folder", "="])
@pytest.mark.parametrize("command", [("dataset", "prepare"), ("dataset", "truth"), ("evaluate", "--no-boxes")])
def test_a_source_is_a_card_and_a_folder(tmp_path: Path, command: tuple[str, ...], source: str) -> None:
    said = misuse(run(*command, "--source", source, "--out", tmp_path / "out", **WIDE))
    assert f"{source!r}: expected CARD=FOLDER, such as construction-site-safety=exports/css" in said


def test_what_is_there_is_not_overwritten(tmp_path: Path, card: Path) -> None:
    folder = export(tmp_path / "export")
    (tmp_path / "note.txt").write_text("keep me", encoding="utf-8")
    source = ("--source", f"{card}={folder}")
    assert "is not empty; give a new folder" in refusal(run("dataset", "prepare", *source, "--out", folder))
    note = tmp_path / "note.txt"
    assert "note.txt: Not a directory" in refusal(run("dataset", "prepare", *source, "--out", note))
    assert note.read_text(encoding="utf-8") == "keep me"


def test_a_damaged_label_names_file_and_line(tmp_path: Path, card: Path) -> None:
    folder = export(tmp_path / "export", rows="2 0.5 0.5 0.4 0.8\n9 0.5 0.5 0.1 0.1\n")
    result = run("dataset", "prepare", "--source", f"{card}={folder}", "--out", tmp_path / "out")
    assert "a.txt:2: class 9 is not in names (0 to 5)" in refusal(result)


def manifest(folder: Path) -> Path:
    files: dict[Kind, WeightsFile] = {"onnx": WeightsFile(file="made.onnx", sha256="ab" * 32)}
    made = Manifest(
        name="made",
        version="7",
        licence="none",
        classes=CLASSES,
        files=files,
        input_shapes=((640, 640),),
        thresholds=Thresholds(),
        scores={},
        trained_on=(),
        how_made={},
    )
    write_manifest(made, folder / "manifest.json")
    return folder / "manifest.json"


def bare_head(image: Image) -> Detections:
    return scene(WORKER, head_of(WORKER, "no-helmet", 0.41), torso_of(WORKER), width=640, height=480)


def measured(folder: Path, *options: str | Path) -> Result:
    """Evaluate two pictures: on both a bare head is seen, and truly there on the first."""
    people = {"a.png": (person(WORKER[2], helmet="missing"),), "b.png": (person(WORKER[2]),)}
    source, truth = picture_set(folder, people)
    exports = folder / "exports"
    exports.mkdir()
    source.folder.rename(exports / "generic")
    truth.rename(truth.with_name("generic.jsonl"))
    (truth.parent / "clips.jsonl").write_text("other things\n", encoding="utf-8")
    (truth.parent / "decisions.jsonl").write_text("lie here too\n", encoding="utf-8")
    weights = ("--weights", manifest(folder), "--truth", truth.parent)
    return run("evaluate", "--no-boxes", *weights, *options, see=bare_head, **WIDE)


@pytest.mark.parametrize("by", ["data", "source"])
def test_evaluate_prints_and_keeps_what_it_measured(tmp_path: Path, by: str) -> None:
    exports = tmp_path / "exports"
    given = ("--data", exports) if by == "data" else ("--source", f"generic={exports / 'generic'}")
    result = measured(tmp_path, *given, "--out", tmp_path / "report")
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    helmet = found["people"]["generic/valid"]["all"]["helmet"]
    assert (helmet["true_positive"], helmet["false_positive"], helmet["precision"]) == (1, 1, 0.5)
    assert found["model"] == {"name": "made", "version": "7", "file": "onnx", "sha256": "ab" * 32}
    page = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert page.strip() == result.stdout.strip()
    assert "| generic/valid | everybody | helmet | 1 | 1 | 1 |" in page


def test_chosen_thresholds_are_kept_in_the_manifest(tmp_path: Path) -> None:
    result = measured(tmp_path, "--data", tmp_path / "exports", "--choose-thresholds")
    assert result.exit_code == 0, result.output
    kept = read_manifest(tmp_path / "manifest.json")
    assert kept.thresholds.confidence["no-helmet"] > 0.41  # half of its alarms would be false
    assert kept.thresholds.minimum_height == {"helmet": 200.0, "vest": 200.0}
    assert (kept.name, kept.files["onnx"].sha256) == ("made", "ab" * 32)


def test_thresholds_are_not_chosen_on_nothing(tmp_path: Path) -> None:
    source, truth = picture_set(tmp_path, {"a.png": (person(WORKER[2]),)}, split="test")
    weights = manifest(tmp_path)
    before = weights.read_bytes()
    (tmp_path / "made.toml").write_text(CARD, encoding="utf-8")
    options = ("--truth", truth.parent, "--weights", weights, "--source", f"{tmp_path / 'made.toml'}={source.folder}")
    result = run("evaluate", "--no-boxes", "--choose-thresholds", *options, see=bare_head)
    assert "nothing to choose thresholds on" in refusal(result)
    assert weights.read_bytes() == before


def test_evaluate_refuses(tmp_path: Path) -> None:
    folder, weights = export(tmp_path / "export"), ("--weights", manifest(tmp_path))
    assert "give --data FOLDER or --source CARD=FOLDER" in misuse(run("evaluate", "--no-boxes", *weights, **WIDE))
    empty = run("evaluate", "--no-boxes", *weights, "--data", tmp_path / "nowhere")
    assert "no dataset here" in refusal(empty)
    source = f"construction-site-safety={folder}"
    assert "lacks the valid picture" in refusal(run("evaluate", "--no-boxes", *weights, "--source", source))
    nothing = run("evaluate", "--no-boxes", "--weights", tmp_path / "no.json", "--source", source, see=None)
    assert "no.json: no weights manifest there" in refusal(nothing)
    wrong = run("evaluate", "--no-boxes", "--source", source, PPE_PORT="many")
    assert "PPE_PORT" in refusal(wrong)


def test_episodes_need_the_clips_that_were_watched(tmp_path: Path) -> None:
    assert "can't read this clip (No such file" in refusal(run("episodes", "--clips", tmp_path))
    for row in (shipped("datasets") / "truth" / "clips.jsonl").read_text(encoding="utf-8").splitlines():
        (tmp_path / json.loads(row)["clip"]).write_bytes(b"another film")
    assert "is not the clip that was watched" in refusal(run("episodes", "--clips", tmp_path))


def test_export_refuses(tmp_path: Path) -> None:
    trained, recipe = tmp_path / "best.pt", tmp_path / "recipe.json"
    given = ("export", trained, "--out", tmp_path / "weights")
    assert "best.pt: no such weights" in refusal(run(*given))
    assert "recipe.json" in misuse(run(*given, "--recipe", recipe, **WIDE))
    for text in ("{", "[1]"):
        recipe.write_text(text, encoding="utf-8")
        assert "recipe.json: not a recipe.json of ppe train" in refusal(run(*given, "--recipe", recipe))
    assert not (tmp_path / "weights").exists()


WITHOUT = """
import sys
for name in ("ultralytics", "torch", "onnx"):
    sys.modules[name] = None
from service.cli import app
sys.argv = ["ppe", *sys.argv[1:]]
app()
"""


@pytest.mark.parametrize("command", ["train", "export", "evaluate", "prepare"])
def test_without_torch_it_says_what_to_install_before_anything_is_written(
    tmp_path: Path, card: Path, command: str
) -> None:
    folder, weights, out = export(tmp_path / "export"), tmp_path / "base.pt", tmp_path / "out"
    weights.write_bytes(b"weights")
    data = tmp_path / "data.yaml"
    data.write_text(f"names: {list(CLASSES)}\ntrain: a\n", encoding="utf-8")
    arguments: dict[str, tuple[str | Path, ...]] = {
        "train": ("train", "--data", data, "--base", weights, "--out", out),
        "export": ("export", weights, "--out", out),
        "evaluate": ("evaluate", "--source", f"{card}={folder}", "--out", out),
        "prepare": ("dataset", "prepare", "--source", f"{card}={folder}", "--out", out, "--people-from", weights),
    }
    card.write_text(CARD.replace("people_labelled = true", "people_labelled = false"), encoding="utf-8")
    run_alone = [sys.executable, "-c", WITHOUT, *map(str, arguments[command])]
    done = subprocess.run(run_alone, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr == "ppe: this command needs the extra 'train': pip install 'ppe-monitor[train]'\n"
    assert not out.exists()


@pytest.mark.timeout(300)
def test_export_compares_before_it_is_content(tmp_path: Path) -> None:
    pytest.importorskip("ultralytics", reason="ultralytics is not installed (extra: train)")
    trained = next(iter(sorted(shipped("weights").glob("*.pt"))), None)
    if trained is None:
        pytest.skip("needs the project's weights, which are not there")
    hopper = cv2.imread(str(Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"))
    (tmp_path / "people").mkdir()
    (tmp_path / "nobody").mkdir()
    cv2.imwrite(str(tmp_path / "people" / "a.jpg"), np.asarray(hopper))
    photo(tmp_path / "nobody" / "b.jpg")
    recipe = tmp_path / "recipe.json"
    recipe.write_text('{"epochs": 3}', encoding="utf-8")
    out = tmp_path / "weights"
    options = ("--out", out, "--name", "made", "--version", "9", "--recipe", recipe)
    result = run("export", trained, *options, "--check", tmp_path / "people")
    assert result.exit_code == 0, result.output
    assert f"wrote {out / 'manifest.json'}" in result.stdout.replace("\n", "")
    assert '"precision": "f32"' in result.stdout
    assert '"precision": "bf16"' in result.stdout
    told = read_manifest(out / "manifest.json")
    assert (told.name, told.version, told.how_made) == ("made", "9", {"epochs": 3})
