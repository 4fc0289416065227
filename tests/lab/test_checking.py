"""The check as a whole: a clean set, files and rows, a model beside the labels, the report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from service.detectors.fake import FakeDetector
from service.lab.checking import looking
from service.lab.checking.check import check
from service.lab.checking.findings import Code
from service.lab.checking.report import as_json, write_html
from service.lab.dataset.faults import DatasetError
from service.ports import Image
from service.safety.detections import Detections
from service.safety.equipment import CLASS_ID
from tests.lab import sites
from tests.lab.checks import cut_out, found, leak, one, serious
from tests.lab.sites import CARD, pictures, repaint, rows_of


def test_a_clean_set_has_neither_fault_nor_warning(drawn: Path) -> None:
    checked = check(drawn, CARD)
    assert serious(checked) == []
    assert len(checked.survey.seen) == 48


@pytest.mark.thorough
def test_several_processes_see_what_one_sees(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = check(small, CARD)
    monkeypatch.setattr(looking, "ALONE", 10)
    names: list[str] = []
    together = check(small, CARD, on_picture=names.append)
    assert together.findings == alone.findings
    assert names[:24] == [path.name for path in (*pictures(small, "train"), *pictures(small, "valid"))]


def test_broken_rows_and_pairs_are_all_found(small: Path) -> None:
    first, second, third, fourth, *_ = pictures(small, "train")
    bad = [
        "0 0.5 0.5 0.2",
        "0 0.5 0.5 x 0.2",
        "9 0.5 0.5 0.2 0.2",
        "0 1.2 0.5 0.5 0.2",
        "0 320 240 50 60",
        "0 0.5 0.5 0 1",
    ]
    text = rows_of(first).read_text(encoding="utf-8")
    rows_of(first).write_text(text + "\n".join(bad) + "\n" + text.splitlines()[0], encoding="utf-8")
    rows_of(second).write_bytes("0 0.5 0.5 0.2 0.2 # größer".encode("latin-1"))
    rows_of(third).unlink()
    fourth.write_bytes(b"no picture")
    (small / "train" / "labels" / "nobody.txt").write_text("0 0.5 0.5 0.2 0.2\n", encoding="utf-8")
    checked = check(small, CARD)
    finding = one(checked, "broken-row", "fault")
    assert finding.count == 7
    assert {row[1] for row in finding.rows[1:]} >= {str(len(text.splitlines()) + step) for step in range(1, 7)}
    assert one(checked, "missing-label", "warning").count == 1
    assert one(checked, "orphan-label", "warning").rows[1] == ("train/labels/nobody.txt",)
    assert one(checked, "unreadable-picture", "fault").count == 1
    assert found(checked, "duplicate-box")[0].count == 1
    kinds = [row["kind"] for row in as_json(checked)["broken"]]
    assert sorted(kinds) == ["class", "edge", "fields", "number", "range", "size", "text"]


def test_a_split_that_is_not_there(small: Path) -> None:
    config = small / "data.yaml"
    config.write_text(config.read_text(encoding="utf-8") + "test: ../test/images\n", encoding="utf-8")
    assert "'../test/images'" in one(check(small, CARD), "missing-picture", "fault").rows[1][2]


def test_coco_rows_are_all_found(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "coco" / "train"
    folder.mkdir(parents=True)
    for path in pictures(small, "train"):
        shutil.copyfile(path, folder / path.name)
    names = sorted(path.name for path in folder.iterdir())
    annotations = [
        {"id": 1, "image_id": 0, "category_id": 0, "bbox": [10, 10, 40, 40], "area": 800, "segmentation": [[0] * 6]},
        {"id": 2, "image_id": 0, "category_id": 9, "bbox": [10, 10, 40, 40]},
        {"id": 3, "image_id": 0, "category_id": 0, "bbox": [10, 10, 0, 40]},
        {"id": 4, "image_id": 0, "category_id": 0, "bbox": [10, 10, 40]},
        {"id": 5, "image_id": 0, "category_id": 0, "bbox": [900, 10, 40, 40]},
    ]
    listed = [
        {"id": place, "file_name": name, "width": 480, "height": 480} for place, name in enumerate([*names, "x.jpg"])
    ]
    document = {"images": listed, "categories": [{"id": 0, "name": "Worker"}], "annotations": annotations}
    (folder / "_annotations.coco.json").write_text(json.dumps(document), encoding="utf-8")
    checked = check(folder.parent, CARD)
    assert sorted(fault.kind for fault in checked.survey.faults) == ["class", "fields", "picture", "range", "size"]
    assert one(checked, "polygon-labels", "warning").count == 1


def test_a_model_that_disagrees(small: Path) -> None:
    first = pictures(small)[0]
    rows = [line.split() for line in rows_of(first).read_text(encoding="utf-8").splitlines()]
    places = np.array([[float(cell) for cell in row[1:]] for row in rows]) * 480
    boxes = np.concatenate([places[:, :2] - places[:, 2:] / 2, places[:, :2] + places[:, 2:] / 2], axis=1)
    wanted = np.array([CLASS_ID[CARD.labels[sites.NAMES[int(row[0])].lower().replace(" ", "-")]] for row in rows])
    wanted[0] = 1 - wanted[0]  # the opposite of the first head
    boxes[2, 1] += 0.5 * (boxes[2, 3] - boxes[2, 1])  # half of the first person
    boxes = np.vstack([boxes, [[2, 400, 60, 470]]])
    wanted = np.append(wanted, CLASS_ID["person"])
    image = cv2.imread(str(first))
    assert image is not None
    sure = Detections(boxes, np.full(len(boxes), 0.9), wanted, 480, 480)

    def see(shown: Image) -> Detections:
        return sure if np.array_equal(shown, image) else sure.where(np.zeros(len(boxes), dtype=bool))

    checked = check(small, CARD, detector=FakeDetector(see))
    for code in ("model-missing-box", "model-wrong-class", "model-loose-box"):
        (finding,) = found(checked, code)  # type: ignore[arg-type]
        assert (finding.count, finding.level) == (1, "note")


@pytest.mark.parametrize(
    ("drawn", "beside", "code"),
    [
        ((0.1, 0.1, 0.9, 0.9), None, "model-loose-box"),  # IoU 0.25 with the model's: the loosest are shown too
        ((0.1, 0.1, 1.0, 1.0), None, "model-loose-box"),
        ((0.55, 0.55, 1.0, 1.0), None, "model-missing-box"),  # IoU 0.06
        ((0.6, 0.3, 1.0, 0.7), (0.6, 0.3, 1.0, 0.7), "model-missing-box"),  # IoU 0.14 with a neighbour, found as well
    ],
)
def test_how_loose_a_box_may_be(
    tmp_path: Path, drawn: tuple[float, ...], beside: tuple[float, ...] | None, code: Code
) -> None:
    folder = sites.write_set(tmp_path / "set", train=0, valid=1)
    (path,) = pictures(folder)
    x1, y1, x2, y2 = drawn
    rows_of(path).write_text(f"4 {(x1 + x2) / 2} {(y1 + y2) / 2} {x2 - x1} {y2 - y1}\n", encoding="utf-8")
    boxes = 480 * np.array([(0.3, 0.3, 0.7, 0.7), *([beside] if beside else [])])
    sure = Detections(boxes, np.full(len(boxes), 0.9), np.full(len(boxes), CLASS_ID["person"]), 480, 480)
    checked = check(folder, CARD, detector=FakeDetector(lambda _: sure))
    assert [finding.code for finding in checked.findings if finding.code.startswith("model-")] == [code]


def test_nothing_to_check(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no dataset here"):
        check(tmp_path, CARD)
    folder = sites.write_set(tmp_path / "set", train=2, valid=1)
    for path in pictures(folder):
        path.write_bytes(b"")
    with pytest.raises(DatasetError, match="holds no picture that can be read"):
        check(folder, CARD)


def test_the_report_is_one_page_that_shows_every_finding(small: Path, tmp_path: Path) -> None:
    leak(small, lambda image: image)
    repaint(small, cut_out, "train")
    checked = check(small, CARD)
    write_html(checked, tmp_path / "check.html")
    text = (tmp_path / "check.html").read_text(encoding="utf-8")
    assert all(finding.title in text for finding in checked.findings)
    assert "data:image/jpeg;base64," in text
    assert "<svg" in text
    assert "http://" not in text.replace("http://www.w3.org/", "")
    written = as_json(checked)
    assert [entry["code"] for entry in written["findings"]] == [finding.code for finding in checked.findings]
    assert written["labels"]["Hi-Vis"]["means"] == "vest"
    json.dumps(written)
