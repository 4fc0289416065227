"""Evaluation: the pictures are the ones that were judged, thresholds are chosen on them, a page says what was found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import pytest

from service.detectors.fake import FakeDetector
from service.detectors.manifest import Kind, Manifest, WeightsError, WeightsFile, read_weights, write_manifest
from service.detectors.openvino import OpenVinoDetector
from service.lab import evaluate, looking, report
from service.lab.dataset.cards import Card, read_card
from service.lab.dataset.faults import DatasetError
from service.lab.dataset.people import open_people
from service.lab.dataset.prepare import Source
from service.lab.looking import Seen
from service.lab.origins import UNKNOWN
from service.lab.sheet import sheet
from service.lab.splits import CutPicture
from service.lab.truth import TruthPicture, read_truth, write_truth
from service.ports import Image
from service.safety.detections import Detections
from service.safety.equipment import CLASSES
from service.safety.thresholds import Thresholds
from service.settings import shipped
from tests.lab.people import CARD, person, picture_set
from tests.safety.scenes import head_of, person_at, scene, torso_of

WORKER = person_at(100, 60, 120, 360)
WORKER_BOX = WORKER[2]
DIGEST = "ab" * 32


def manifest(folder: Path, *kinds: Kind) -> Path:
    """Write a manifest that names files which nobody opens."""
    made = Manifest(
        name="made",
        version="7",
        licence="none",
        classes=CLASSES,
        files={kind: WeightsFile(file=f"made.{kind}", sha256=DIGEST) for kind in kinds},
        input_shapes=((640, 640),),
        thresholds=Thresholds(),
        scores={},
        trained_on=(),
        how_made={},
    )
    write_manifest(made, folder / "manifest.json")
    return folder / "manifest.json"


def one_worker(image: Image) -> Detections:
    """See one worker; without a helmet on every other grey."""
    bare = int(image[0, 0, 0]) % 2 == 1
    rows = (WORKER, head_of(WORKER, "no-helmet" if bare else "helmet"), torso_of(WORKER))
    return scene(*rows, width=image.shape[1], height=image.shape[0])


@pytest.fixture
def detector() -> Iterator[FakeDetector]:
    made = FakeDetector(one_worker)
    yield made
    made.close()


def three_pictures(folder: Path) -> tuple[Source, Path]:
    """Greys 90 and 92 (helmet seen), 91 (bare head seen); truly bare are the people on b and c."""
    people = {
        "a.png": (person(WORKER_BOX),),
        "b.png": (person(WORKER_BOX, helmet="missing"),),
        "c.png": (person(WORKER_BOX, helmet="missing", vest="not_judgeable"),),
    }
    return picture_set(folder, people)


def test_every_picture_that_truth_lists_is_looked_at(tmp_path: Path, detector: FakeDetector) -> None:
    source, truth = three_pictures(tmp_path)
    done: list[str] = []
    seen = looking.look(detector, source, truth, "valid", done.append)
    assert [one.truth.picture for one in seen] == done == ["a.png", "b.png", "c.png"]
    assert detector.seen == [(640, 480)] * 3
    assert [len(one.detections) for one in seen] == [3, 3, 3]


def test_other_splits_are_left_alone(tmp_path: Path, detector: FakeDetector) -> None:
    source, truth = three_pictures(tmp_path)
    assert looking.look(detector, source, truth, "test") == []
    assert looking.look(detector, source, truth, "train") == []
    assert detector.seen == []


def test_a_missing_picture_is_refused(tmp_path: Path, detector: FakeDetector) -> None:
    source, truth = three_pictures(tmp_path)
    (source.folder / "valid" / "images" / "b.png").unlink()
    with pytest.raises(DatasetError, match=r"lacks the valid picture 'b\.png' that made\.jsonl lists"):
        looking.look(detector, source, truth, "valid")


def test_a_picture_of_another_split_does_not_stand_in(tmp_path: Path, detector: FakeDetector) -> None:
    source, truth = three_pictures(tmp_path)
    rows = truth.read_text(encoding="utf-8").replace('"valid"', '"test"')
    truth.write_text(rows, encoding="utf-8")
    with pytest.raises(DatasetError, match="lacks the test picture"):
        looking.look(detector, source, truth, "test")


def test_another_picture_under_the_name_is_refused(tmp_path: Path, detector: FakeDetector) -> None:
    source, truth = three_pictures(tmp_path)
    images = source.folder / "valid" / "images"
    (images / "b.png").write_bytes((images / "a.png").read_bytes())
    with pytest.raises(DatasetError, match=r"b\.png: is not the picture that made\.jsonl was made from"):
        looking.look(detector, source, truth, "valid")


def test_groups_carry_source_and_split(tmp_path: Path, detector: FakeDetector) -> None:
    source, truth = three_pictures(tmp_path)
    groups = looking.look_at_all(detector, [source], {"made": truth})
    assert list(groups) == ["made/valid"]
    assert looking.pooled(groups, "valid") == groups["made/valid"]
    assert looking.pooled(groups, "test") == []


CUT = {
    "a.png": CutPicture("a.png", "0" * 64, "one", "tune"),
    "b.png": CutPicture("b.png", "0" * 64, "two", "report"),
    "c.png": CutPicture("c.png", "0" * 64, "one", "tune"),
}


def cut_of(truth: Path) -> dict[str, CutPicture]:
    rows = {row.picture: row for row in read_truth(truth)}
    return {name: CutPicture(name, rows[name].sha256, one.scene, one.part) for name, one in CUT.items()}


def test_a_cut_makes_two_parts_of_valid(tmp_path: Path, detector: FakeDetector) -> None:
    source, truth = three_pictures(tmp_path)
    groups = looking.look_at_all(detector, [source], {"made": truth}, cuts={"made": cut_of(truth)})
    assert list(groups) == ["made/tune", "made/report"]
    assert [one.truth.picture for one in groups["made/tune"]] == ["a.png", "c.png"]
    assert {one.scene for one in groups["made/tune"]} == {"made/one"}
    assert list(looking.pools(groups)) == ["all/tune", "all/report", "all/valid+test"]


def test_tuning_leaves_report_and_test_unread(tmp_path: Path, detector: FakeDetector) -> None:
    source, truth = three_pictures(tmp_path)
    cuts = {"made": cut_of(truth)}
    groups = looking.look_at_all(detector, [source], {"made": truth}, cuts=cuts, tune_only=True)
    assert list(groups) == ["made/tune"]
    assert len(detector.seen) == 2
    assert list(looking.pools(groups)) == ["all/tune"]
    truth.write_text(truth.read_text(encoding="utf-8").replace('"valid"', '"test"'), encoding="utf-8")
    assert looking.look_at_all(detector, [source], {"made": truth}, tune_only=True) == {}
    assert len(detector.seen) == 2


def test_a_cut_of_other_pictures_is_refused(tmp_path: Path, detector: FakeDetector) -> None:
    source, truth = three_pictures(tmp_path)
    with pytest.raises(DatasetError, match=r"a\.png is not in the cut of valid; cut it anew"):
        looking.look_at_all(detector, [source], {"made": truth}, cuts={"made": CUT})
    with pytest.raises(DatasetError, match=r"c\.png is not in the cut"):
        looking.look_at_all(detector, [source], {"made": truth}, cuts={"made": dict(list(cut_of(truth).items())[:2])})


def test_a_source_that_training_never_saw_is_marked(tmp_path: Path) -> None:
    source, _ = three_pictures(tmp_path)
    assert evaluate.trained_on(("made v2 train (971)", "made-otherwise v1 train"), [source]) == {
        "made": ["made v2 train (971)"]
    }
    assert evaluate.trained_on((UNKNOWN,), [source]) == {"made": [UNKNOWN]}  # it may be in there
    found = {"trained_on": evaluate.trained_on(("made-otherwise v1 train",), [source])}
    assert report.trained_rows(found) == [["made", "nothing", "CROSS-SOURCE"]]


def test_the_html_page_holds_plots_and_failures(tmp_path: Path, detector: FakeDetector) -> None:
    source, truth = three_pictures(tmp_path)
    labels = source.folder / "valid" / "labels"
    labels.mkdir()
    (labels / "a.txt").write_text("0 0.25 0.18 0.08 0.1\n2 0.25 0.5 0.19 0.75\n0 0.8 0.8 0.1 0.1\n", encoding="utf-8")
    groups = looking.look_at_all(detector, [source], {"made": truth})
    found = evaluate.measure(manifest(tmp_path, "onnx"), [source], groups, Thresholds())
    found["parity"] = {"ONNX, float32": {"made/valid": found["boxes"]["made/valid"]["ap"]["published"]}}
    found["against"] = {
        "model": {"name": "other", "version": "8", "sha256": DIGEST},
        "differences": evaluate.compare(groups, Thresholds(), groups, Thresholds()),
    }
    sheet(found, groups, Thresholds()).write(tmp_path / "out" / "report.html")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert page.count("data:image/jpeg") >= 3
    assert "Against other 8" in page
    assert "Hardest failures: no-helmet" in page
    assert json.loads(report.as_json(found)) == json.loads(json.dumps(found, allow_nan=False))
    assert "data:image" not in report.markdown(found)


@pytest.mark.parametrize("kind", ["pt", "onnx"])
def test_measured_without_boxes(tmp_path: Path, detector: FakeDetector, kind: Kind) -> None:
    source, truth = three_pictures(tmp_path)
    groups = looking.look_at_all(detector, [source], {"made": truth})
    found = evaluate.measure(manifest(tmp_path, kind), [source], groups, Thresholds(), with_boxes=False)
    assert found["model"] == {"name": "made", "version": "7", "file": kind, "sha256": DIGEST}
    assert found["boxes"] == {}
    assert set(found["people"]) == {"made/valid", "all/tune"}
    counted = found["people"]["made/valid"]
    assert (counted["pictures"], counted["people"]) == (3, 3)
    helmet, vest = counted["all"]["helmet"], counted["all"]["vest"]
    assert (helmet["true_positive"], helmet["missed_said_worn"], helmet["false_positive"]) == (1, 1, 0)
    assert (helmet["precision"], helmet["recall"], helmet["recall_95"]) == (1.0, 0.5, [0.0945, 0.9055])
    assert (vest["worn"], vest["not_judgeable"], vest["recall"]) == (2, 1, None)
    assert found["people"]["all/tune"] == counted
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_bands_take_the_height_that_the_model_saw() -> None:
    seen = [
        Seen(
            TruthPicture("a.png", "valid", DIGEST, 1000, 800, (person(WORKER_BOX, helmet="missing"),)),
            scene(WORKER, head_of(WORKER, "no-helmet"), scale=scale),
        )
        for scale in (1.0, 0.5, 0.2, 0.1)  # 360, 180, 72 and 36 px
    ]
    (counted,) = evaluate.people_report({"made/valid": seen}, Thresholds()).values()
    found = {band: one["helmet"]["missing"] for band, one in counted["bands"].items()}
    assert found == {"0-50": 1, "50-100": 1, "100-200": 1, "200+": 1}
    assert counted["from_100_px"]["helmet"]["missing"] == 2
    assert counted["bands"]["0-50"]["helmet"]["missed_unknown"] == 1  # under the 50 px of the thresholds


def test_the_page_holds_the_numbers(tmp_path: Path, detector: FakeDetector) -> None:
    source, truth = three_pictures(tmp_path)
    groups = looking.look_at_all(detector, [source], {"made": truth})
    found = evaluate.measure(manifest(tmp_path, "onnx"), [source], groups, Thresholds(), with_boxes=False)
    ap = {"AP50 mean": 0.6125, "AP50 helmet": 0.75, "AP50-95 mean": 0.4}
    boxes = {"ap": {"one convention": ap, "published": {**ap, "AP50 helmet": 0.5}}}
    calibration = {name: {"error": 0.25, "bins": []} for name in CLASSES}
    found["boxes"] = {"made/valid": {**boxes, "calibration": calibration}}
    found["parity"] = {"ONNX, float32": {"made/valid": ap}, ".pt, float32": {"made/valid": {**ap, "AP50 mean": 0.61}}}
    page = report.markdown(found)
    assert "# Evaluation of made 7" in page
    assert f"sha256 of the .onnx: `{DIGEST}`" in page
    assert "no-helmet 0.35" in page
    assert "helmet 50, vest 50" in page
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| ")]
    assert ["made/valid", "one convention", "0.613", "0.750", "-", "-", "-", "-", "0.400"] in rows
    assert ["made/valid", "published", "0.613", "0.500", "-", "-", "-", "-", "0.400"] in rows
    assert [".pt, float32", "made/valid", "0.610", "0.750", "-", "-", "-", "-", "0.400"] in rows
    assert ["made/valid", *["0.250"] * 5] in rows
    head = next(row for row in rows if row[0] == "pictures" and row[1] == "who")
    helmet = dict(zip(head, next(row for row in rows if row[:3] == ["made/valid", "everybody", "helmet"]), strict=True))
    assert helmet["missing"] == "2"
    assert helmet["true positive"] == "1"
    assert helmet["missed said worn"] == "1"
    assert helmet["precision"] == "1.00 (0.21 to 1.00)"
    assert helmet["recall"] == "0.50 (0.09 to 0.91)"
    vest = next(row for row in rows if row[:3] == ["all/tune", "200+ px", "vest"])
    assert vest[head.index("not judgeable")] == "1"
    assert vest[head.index("recall")] == "-"
    assert report.as_json(found).count("\n") < len(json.dumps(found, indent=2).splitlines())
    assert json.loads(report.as_json(found)) == found


def test_box_metrics_need_the_pt(ultralytics: None, tmp_path: Path) -> None:
    source, _ = three_pictures(tmp_path)
    with pytest.raises(WeightsError, match="names no pt file, it holds onnx"):
        evaluate.box_metrics(manifest(tmp_path, "onnx"), source.card, source.folder, "valid")


def test_box_metrics_are_of_the_classes_that_are_there(trained: Path, tmp_path: Path) -> None:
    """A photograph whose one person is labelled where the model sees them, and a helmet where there is none."""
    images, labels = tmp_path / "valid" / "images", tmp_path / "valid" / "labels"
    images.mkdir(parents=True)
    labels.mkdir()
    photo = cv2.imread(str(Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"))
    cv2.imwrite(str(images / "a.jpg"), np.asarray(photo))
    (tmp_path / "data.yaml").write_text("val: valid/images\nnames: [helmet, vest, person]\n", encoding="utf-8")
    (seen,) = [box for box in open_people(trained, 0.5)(images / "a.jpg") if box.h > 0.5]
    row = f"2 {seen.cx} {seen.cy} {seen.w} {seen.h}\n0 0.05 0.05 0.05 0.05\n"
    (labels / "a.txt").write_text(row, encoding="utf-8")
    low = Card(**{**CARD.model_dump(), "box_heights": {"person": 0.3}})  # would spoil it, were it applied
    found = evaluate.box_metrics(trained.with_name("manifest.json"), low, tmp_path, "valid")
    assert set(found) == {"AP50 helmet", "AP50 person", "AP50 mean", "AP50-95 mean"}
    assert found["AP50 person"] > 0.9
    assert found["AP50 helmet"] == 0
    assert found["AP50 mean"] == pytest.approx(found["AP50 person"] / 2, abs=1e-4)


def test_the_shipped_weights_on_real_pictures(tmp_path: Path, datasets: Path) -> None:
    weights = shipped("weights") / "manifest.json"
    if not weights.is_file():
        pytest.skip(f"needs the project's weights, and {weights} is not there")
    name = "construction-site-safety"
    rows = [row for row in read_truth(shipped("datasets") / "truth" / f"{name}.jsonl") if row.split == "valid"]
    judgeable = [row for row in rows if any(one.helmet == "missing" for one in row.people)][:5]
    write_truth(tmp_path / f"{name}.jsonl", judgeable)
    source = Source(read_card(shipped("datasets") / f"{name}.toml"), datasets / name)
    detector = OpenVinoDetector(read_weights(weights, "onnx"), precision="f32")
    groups = looking.look_at_all(detector, [source], {name: tmp_path / f"{name}.jsonl"})
    detector.close()
    found = evaluate.measure(weights, [source], groups, detector.model.thresholds, with_boxes=False)
    helmet = found["people"][f"{name}/valid"]["all"]["helmet"]
    assert found["people"][f"{name}/valid"]["pictures"] == 5
    assert helmet["missing"] == sum(one.helmet == "missing" for row in judgeable for one in row.people)
    assert 0 <= helmet["recall"] <= 1
    assert all(np.isfinite(one.detections.boxes).all() for one in groups[f"{name}/valid"])
    assert report.markdown(found).count(f"| {name}/valid |") == 6
