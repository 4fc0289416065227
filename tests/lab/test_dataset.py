from __future__ import annotations

import json
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from service.lab.dataset.cards import Card, read_card, spelling
from service.lab.dataset.faults import DatasetError
from service.lab.dataset.prepare import Source, prepare, read_export
from service.lab.dataset.records import LabelledBox
from service.settings import shipped

CARD = Card(
    name="made",
    title="Made up",
    publisher="a test",
    version="1",
    licence="none",
    how_to_get="run the test",
    people_labelled=True,
    labels={
        "Hardhat": "helmet",
        "NO-Hardhat": "no-helmet",
        "Safety Vest": "vest",
        "NO-Safety Vest": "no-vest",
        "Person": "person",
    },
)


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.zeros((40, 60, 3), np.uint8))


def export(root: Path, rows: str = "0 0.5 0.5 0.2 0.2\n", **config: object) -> Path:
    """A Roboflow export: ../train/images in data.yaml, a folder called valid."""
    for split in ("train", "valid"):
        picture(root / split / "images" / f"{split}_jpg.rf.abc.jpg")
        (root / split / "labels").mkdir()
        (root / split / "labels" / f"{split}_jpg.rf.abc.txt").write_text(rows)
    described = {
        "train": "../train/images",
        "val": "../valid/images",
        "nc": 6,
        "names": ["Hardhat", "Person", "Safety Cone", "NO-Hardhat", "Safety Vest", "NO-Safety Vest"],
        **config,
    }
    (root / "data.yaml").write_text(yaml.safe_dump(described))
    return root


def test_reads_roboflows_paths_and_split_names(tmp_path: Path) -> None:
    pictures = list(read_export(export(tmp_path)))
    assert [(found.split, found.base) for found in pictures] == [("train", "train_jpg"), ("valid", "valid_jpg")]
    assert pictures[0].boxes[0].label == "Hardhat"


def test_reads_ultralytics_path_and_map(tmp_path: Path) -> None:
    export(tmp_path / "set" / "deep")
    names = {0: "a", 1: "b", 2: "c"}
    config = {"path": "deep", "train": "train/images", "val": "val/images", "nc": 3, "names": names}
    (tmp_path / "set" / "data.yaml").write_text(yaml.safe_dump(config))
    pictures = list(read_export(tmp_path / "set"))
    assert [found.split for found in pictures] == ["train", "valid"]
    assert pictures[0].boxes[0].label == "a"


def test_polygons_become_their_upright_hull(tmp_path: Path) -> None:
    (first, *_) = read_export(export(tmp_path, rows="1 0.1 0.2 0.5 0.2 0.3 0.6\n"))
    box = first.boxes[0]
    assert (box.cx, box.cy, box.w, box.h) == pytest.approx((0.3, 0.4, 0.4, 0.4))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("0 0.5 0.5 0.2\n", "expected 'class cx cy w h'"),
        ("0 0.5 0.5 0.2 x\n", "expected numbers"),
        ("7 0.5 0.5 0.2 0.2\n", "class 7 is not in names"),
        ("0.5 0.5 0.5 0.2 0.2\n", "class 0.5 is not in names"),
        ("0 0.5 0.5 1.5 0.2\n", "relative to the picture"),
        ("0 0.5 nan 0.2 0.2\n", "relative to the picture"),
        ("0 0.5 0.5 0 0.2\n", "width and a height above 0"),
        ("0 0.1 0.2 0.5 0.2 0.3\n", "expected 'class cx cy w h'"),
    ],
)
def test_refuses_a_bad_row_naming_file_and_line(tmp_path: Path, rows: str, said: str) -> None:
    with pytest.raises(DatasetError, match=said) as caught:
        list(read_export(export(tmp_path, rows="0 0.5 0.5 0.2 0.2\n" + rows)))
    assert caught.value.line == 2
    assert "train_jpg.rf.abc.txt:2" in str(caught.value)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"names": None}, "names: expected a list or a map"),
        ({"nc": 9}, "nc says 9 classes"),
        ({"train": "../nowhere/images"}, "is no folder with pictures"),
        ({"names": {"x": "a"}, "nc": None}, "keys must be class numbers"),
    ],
)
def test_refuses_a_bad_config(tmp_path: Path, config: dict[str, object], said: str) -> None:
    with pytest.raises(DatasetError, match=said):
        list(read_export(export(tmp_path, **config)))


def test_broken_yaml_names_the_line(tmp_path: Path) -> None:
    export(tmp_path)
    (tmp_path / "data.yaml").write_text("train: a\nnames: [a, b\n")
    with pytest.raises(DatasetError, match="not valid YAML") as caught:
        list(read_export(tmp_path))
    assert caught.value.line is not None


def test_no_dataset_at_all(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no dataset here"):
        list(read_export(tmp_path))


def coco(root: Path, **change: object) -> Path:
    picture(root / "valid" / "a.jpg")
    document: dict[str, object] = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 60, "height": 40}],
        "categories": [{"id": 3, "name": "Person"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [6, 4, 30, 20]}],
        **change,
    }
    (root / "valid" / "_annotations.coco.json").write_text(json.dumps(document))
    return root


def test_reads_coco(tmp_path: Path) -> None:
    (found,) = read_export(coco(tmp_path))
    box = found.boxes[0]
    assert (found.split, box.label) == ("valid", "Person")
    assert (box.cx, box.cy, box.w, box.h) == pytest.approx((0.35, 0.35, 0.5, 0.5))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"annotations": [{"id": 1, "image_id": 1, "category_id": 9, "bbox": [0, 0, 1, 1]}]}, "category 9"),
        ({"annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [0, 0, 0, 1]}]}, "above 0"),
        ({"images": [{"id": 1, "file_name": "b.jpg", "width": 60, "height": 40}]}, "'b.jpg', which is not there"),
        ({"categories": 5}, "not COCO json as expected"),
    ],
)
def test_refuses_bad_coco(tmp_path: Path, change: dict[str, object], said: str) -> None:
    with pytest.raises(DatasetError, match=said):
        list(read_export(coco(tmp_path, **change)))


def test_prepare_merges_maps_and_drops(tmp_path: Path) -> None:
    one = export(tmp_path / "one", rows="0 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.4 0.9\n2 0.1 0.1 0.1 0.1\n")
    two = coco(tmp_path / "two")
    other = CARD.model_copy(update={"name": "other"})
    counts = prepare([Source(CARD, one), Source(other, two)], tmp_path / "out").as_json()
    assert counts["boxes"]["made/train/helmet"] == 1
    assert counts["dropped"] == {"made/Safety Cone": 2}
    assert counts["boxes"]["other/valid/person"] == 1
    rows = (tmp_path / "out/train/labels/made__train_jpg.rf.abc.txt").read_text().splitlines()
    assert rows == ["0 0.500000 0.500000 0.200000 0.200000", "4 0.500000 0.500000 0.400000 0.900000"]
    described = yaml.safe_load((tmp_path / "out/data.yaml").read_text())
    assert described["names"] == {0: "helmet", 1: "no-helmet", 2: "vest", 3: "no-vest", 4: "person"}
    assert [found.split for found in read_export(tmp_path / "out")] == ["train", "valid", "valid"]
    provenance = [json.loads(line) for line in (tmp_path / "out/provenance.jsonl").read_text().splitlines()]
    assert {row["source"] for row in provenance} == {"made", "other"}


def test_what_is_kept_for_the_report_is_left_out_of_valid_and_of_nothing_else(tmp_path: Path) -> None:
    one = export(tmp_path / "one")
    names = {"train_jpg.rf.abc.jpg", "valid_jpg.rf.abc.jpg"}
    counts = prepare([Source(CARD, one)], tmp_path / "out", held_out={"made": names, "other": set()}).as_json()
    assert counts["held_out"] == {"made/valid": 1}
    assert [found.split for found in read_export(tmp_path / "out")] == ["train"]


def test_prepare_writes_nothing_when_a_source_is_bad(tmp_path: Path) -> None:
    good, bad = export(tmp_path / "good"), export(tmp_path / "bad", rows="0 1\n")
    with pytest.raises(DatasetError):
        prepare([Source(CARD, good), Source(CARD, bad)], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_prepare_refuses_a_set_without_people_unless_they_are_added(tmp_path: Path) -> None:
    unlabelled = CARD.model_copy(update={"people_labelled": False})
    with pytest.raises(DatasetError, match="--people-from"):
        prepare([Source(unlabelled, export(tmp_path / "one"))], tmp_path / "out")


def test_prepare_refuses_to_overwrite(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep me")
    with pytest.raises(DatasetError, match="is not empty"):
        prepare([Source(CARD, export(tmp_path / "one"))], tmp_path / "out")


def test_a_failure_while_writing_leaves_nothing(tmp_path: Path) -> None:
    def fail(name: str) -> None:
        raise OSError(28, "No space left on device", name)

    source = Source(CARD, export(tmp_path / "one"))
    with pytest.raises(OSError, match="No space left"):
        prepare([source], tmp_path / "new" / "out", on_picture=fail)
    assert list((tmp_path / "new").iterdir()) == []
    (tmp_path / "out").mkdir()
    prepare([source], tmp_path / "out")
    assert (tmp_path / "out" / "data.yaml").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "one", "out"]


def test_box_heights_bring_labels_to_one_convention(tmp_path: Path) -> None:
    folder = export(tmp_path / "one", rows="0 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.4 0.9\n")
    card = Card(**{**CARD.model_dump(), "box_heights": {"HARDHAT": 0.5}})
    assert (card.box_height("hardhat"), card.box_height("Person")) == (0.5, 1.0)
    prepare([Source(card, folder)], tmp_path / "out")
    rows = (tmp_path / "out/train/labels/made__train_jpg.rf.abc.txt").read_text().splitlines()
    assert rows == ["0 0.500000 0.450000 0.200000 0.100000", "4 0.500000 0.500000 0.400000 0.900000"]
    assert card.as_published().box_height("Hardhat") == 1.0


def test_box_heights_of_a_label_that_the_card_does_not_name_are_refused() -> None:
    with pytest.raises(ValueError, match="box_heights names mask"):
        Card(**{**CARD.model_dump(), "box_heights": {"Mask": 2.0}})
    with pytest.raises(ValueError, match="greater than 0"):
        Card(**{**CARD.model_dump(), "box_heights": {"Hardhat": 0}})


@given(st.floats(0.0, 0.9), st.floats(0.01, 1.0), st.floats(0.1, 5.0), st.floats(0.1, 0.9), st.floats(0.01, 0.2))
def test_a_changed_height_keeps_the_upper_edge_and_stays_in_the_picture(
    top: float, height: float, factor: float, cx: float, w: float
) -> None:
    height = min(height, 1.0 - top)
    box = LabelledBox("a", cx, top + height / 2, w, height).with_height(factor)
    assert box.cy - box.h / 2 == pytest.approx(top)
    assert box.cy + box.h / 2 <= 1 + 1e-9
    assert box.h == pytest.approx(min(height * factor, 1.0 - top))
    assert (box.cx, box.w) == (cx, w)


def test_spellings_fold_case_and_separators() -> None:
    assert spelling(" NO-Safety_Vest ") == spelling("no safety vest")
    assert CARD.target("no_hardhat") == "no-helmet"
    assert CARD.target("Mask") is None


@pytest.mark.parametrize("path", sorted(shipped("datasets").glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_card_can_be_read(path: Path) -> None:
    card = read_card(path)
    assert card.labels
    assert card.licence
    assert card.how_to_get


@pytest.mark.parametrize(
    ("text", "said"),
    [("labels = 3\n", "not a dataset card"), ("title =\n", "not valid TOML"), ("name = 'x'\n", "not a dataset card")],
)
def test_bad_cards_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(DatasetError, match=said):
        read_card(path)


def test_people_are_added_by_a_model_and_marked(trained: Path, tmp_path: Path) -> None:
    unlabelled = CARD.model_copy(update={"people_labelled": False})
    folder = export(tmp_path / "one")
    photo = cv2.imread(str(Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"))
    cv2.imwrite(str(folder / "train" / "images" / "train_jpg.rf.abc.jpg"), np.asarray(photo))
    counts = prepare([Source(unlabelled, folder)], tmp_path / "out", people_from=trained).as_json()
    assert counts["people_added"] == {"made/train": 1}
    assert counts["boxes"] == {"made/train/helmet": 1, "made/valid/helmet": 1}
    first, _ = (tmp_path / "out/train/labels/made__train_jpg.rf.abc.txt").read_text().splitlines()
    assert first.startswith("0 ")
    rows = (tmp_path / "out/provenance.jsonl").read_text().splitlines()
    assert [json.loads(row)["people"] for row in rows] == [f"added by {trained.name}"] * 2


def test_what_sees_no_people_is_refused_before_anything_is_written(ultralytics: None, tmp_path: Path) -> None:
    unlabelled = CARD.model_copy(update={"people_labelled": False})
    source = Source(unlabelled, export(tmp_path / "one"))
    with pytest.raises(DatasetError, match="no such weights"):
        prepare([source], tmp_path / "out", people_from=tmp_path / "yolo11n.pt")
    (tmp_path / "note.pt").write_text("not weights")
    with pytest.raises(DatasetError, match="ultralytics can't read these weights"):
        prepare([source], tmp_path / "out", people_from=tmp_path / "note.pt")
    assert not (tmp_path / "out").exists()
