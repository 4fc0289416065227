"""Write pictures with what a model saw on them as a set for people to correct.

The result is a YOLO export: ``data.yaml``, ``train/{images,labels}`` and the list of classes that labelling tools ask
for; beside them a card for `ppe dataset check` and `prepare`, ``pictures.jsonl`` with what is known of each picture,
and a README that says what lies here and how it goes again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from service.lab.dataset.faults import DatasetError
from service.lab.dataset.prepare import label_row, write_config
from service.lab.dataset.records import LabelledBox, clipped
from service.lab.dataset.whole import whole_folder
from service.ports import Model
from service.safety.detections import Detections
from service.safety.equipment import CLASSES

HOLD_OUT: Final = "Nothing is held out: all of it is train."


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture and what counts of what a model saw on it.

    Attributes:
        name: of its files, without a suffix.
        jpeg: the file as it is to lie there.
        seen: the boxes that become labels.
        about: what is known of it, for ``pictures.jsonl``.
    """

    name: str
    jpeg: bytes
    seen: Detections
    about: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Written:
    """How many pictures lie there, and how many boxes."""

    pictures: int
    boxes: int


def write_labelled(out: Path, pictures: Iterable[Labelled], model: Model, title: str) -> Written:
    """Write a set to `out`, which must not hold anything yet; only its owner can read it. After a failure it is gone.

    Args:
        out: folder to write; the card in it has its name.
        pictures: one after another, so that they need not lie in memory together.
        model: whose labels these are.
        title: what the set is, in a few words.

    Raises:
        DatasetError: `out` holds something, or there is no picture.
        OSError: it can't be written.
    """
    weights = {"weights": f"{model.name} {model.version}", "sha256": model.sha256}
    listed: list[str] = []
    boxes = 0
    with whole_folder(out) as part:
        part.chmod(0o700)
        images, labels = part / "train" / "images", part / "train" / "labels"
        images.mkdir(parents=True)
        labels.mkdir()
        for one in pictures:
            rows = [row for index in range(len(one.seen)) if (row := _row(one.seen, index))]
            boxes += len(rows)
            (images / f"{one.name}.jpg").write_bytes(one.jpeg)
            (labels / f"{one.name}.txt").write_text("".join(rows), encoding="utf-8")
            about = {"picture": f"train/images/{one.name}.jpg", **one.about, **weights}
            listed.append(json.dumps(about, ensure_ascii=False) + "\n")
        if not listed:
            raise DatasetError(out, "would be empty: none of the pictures can be read")
        (part / "train" / "classes.txt").write_text("".join(f"{name}\n" for name in CLASSES), encoding="utf-8")
        (part / "pictures.jsonl").write_text("".join(listed), encoding="utf-8")
        name = out.resolve().name
        (part / f"{name}.toml").write_text(_card(title, model), encoding="utf-8")
        (part / "README.md").write_text(_readme(name, title, model, len(listed)), encoding="utf-8")
        write_config(part)
    return Written(len(listed), boxes)


def _row(seen: Detections, index: int) -> str | None:
    """Return a box as a line of a label file; None when it lies beyond the picture."""
    x1, y1, x2, y2 = (float(edge) for edge in seen.boxes[index])
    class_id = int(seen.class_id[index])
    box: LabelledBox | None = clipped(
        CLASSES[class_id], x1 / seen.width, y1 / seen.height, x2 / seen.width, y2 / seen.height
    )
    return label_row(class_id, box) if box else None


def _card(title: str, model: Model) -> str:
    fields = {
        "title": title,
        "publisher": "whoever runs the cameras",
        "version": "as exported",
        "licence": "pictures of people: not to be passed on without a reason in law",
        "how_to_get": "ppe evidence export",
    }
    lines = [f"{name} = {json.dumps(text, ensure_ascii=False)}" for name, text in fields.items()]
    lines += ["people_labelled = true", "addition = true"]
    fault = f"Labels are what {model.name} {model.version} saw until somebody corrected them. {HOLD_OUT}"
    lines += [f"known_faults = [{json.dumps(fault, ensure_ascii=False)}]", "", "[labels]"]
    return "\n".join([*lines, *(f'"{name}" = "{name}"' for name in CLASSES)]) + "\n"


def _readme(name: str, title: str, model: Model, pictures: int) -> str:
    return f"""\
# {title}

**{pictures} pictures of people at work.** They are personal data: keep them where few can read them, pass them on to
nobody without a reason in law, and delete this folder when you are done. The store knows nothing of it: what is erased
or grows too old there stays here. A picture has its alert's id for a name, so that it can be found.

- `train/images`: the frames of the alerts, black where zones say so.
- `train/labels`: what {model.name} {model.version} sees on them now, as YOLO rows. **Nothing is corrected yet.**
  That an alert was false says that one of its picture's labels is wrong, not which.
  Classes: {", ".join(CLASSES)}.
- `pictures.jsonl`: of each picture its alert, what people said of it, camera, time and the weights that labelled it.
  `people_without` is how many people lack the alert's equipment by these labels; 0 means that these weights do not
  repeat the alarm on this frame.
- `{name}.toml`: the dataset card. {HOLD_OUT}
  Never judge a model by pictures that it was trained on.

Correct the labels in any tool that reads YOLO (it may ask for `train/classes.txt`), then

    ppe dataset check .
    ppe dataset prepare --source {name}.toml=. --source construction-site-safety=css --out ppe
"""
