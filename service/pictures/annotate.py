"""Draw who wears what on a picture: one colour a state, and words that say the same without the colour.

The palette is Okabe and Ito's (2008), which people with any colour vision tell apart: blue for compliant (the colour
that ISO 7010 gives to "wear a helmet"), vermilion for something missing, yellow for not known. Thin boxes show the
equipment that says so. A person whose box is inferred from their equipment is drawn by its corners only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from service.pictures.labels import Writing, place, writing_for
from service.ports import Image
from service.safety.equipment import EQUIPMENT, Equipment, State
from service.safety.inference import Box
from service.safety.wearing import Sighting

COLOURS: Final = ("#0072B2", "#F0E442", "#D55E00")
"""Compliant, unknown, missing: drawn in this order, so that what matters most lies on top."""
_INK: Final = ("#FFFFFF", "#000000", "#FFFFFF")
"""What is seen well on each of them: letters, and the rim of a line."""
_COMPLIANT, _UNKNOWN, _MISSING = range(3)
_OF_PERSON: Final = {True: _COMPLIANT, None: _UNKNOWN, False: _MISSING}
_OF_ITEM: Final[dict[State, int]] = {"worn": _COMPLIANT, "unknown": _UNKNOWN, "missing": _MISSING}
_WORDS: Final[dict[State, str]] = {"unknown": "{} ?", "missing": "no {}"}


def annotate(image: Image, people: tuple[Sighting, ...], *, require: Iterable[Equipment] = ("helmet", "vest")) -> Image:
    """Return a copy of a picture with everybody on it marked.

    Args:
        image: (h, w, 3) uint8 BGR; it is left as it is.
        people: who was seen on it, their boxes in its pixels; their place in the tuple is the number written.
        require: what compliant means; other equipment is not drawn.
    """
    scene: Image = image.copy()
    asked = frozenset(require)
    wanted = tuple(equipment for equipment in EQUIPMENT if equipment in asked)
    if not people:
        return scene
    height, width = scene.shape[:2]
    boxes = np.array([_drawable(person.box, width, height) for person in people])
    states = np.array([_OF_PERSON[person.compliant(wanted)] for person in people])
    inferred = np.array([person.box_inferred for person in people])
    thickness = max(1, round((width * height) ** 0.5 / 300))

    _draw_items(scene, people, wanted, max(1, thickness // 2))
    for state in (_COMPLIANT, _UNKNOWN, _MISSING):
        _draw_boxes(scene, boxes[(states == state) & ~inferred], state, thickness)
        _draw_corners(scene, boxes[(states == state) & inferred], state, thickness)
    texts = [label(person, number, wanted) for number, person in enumerate(people)]
    writing = writing_for(texts, boxes, width, height)
    if writing is not None:
        heads = np.array([_head(person, box, width, height) for person, box in zip(people, boxes, strict=True)])
        _write(scene, texts, place(writing.sizes, boxes, heads, width, height), states, writing)
    return scene


def label(person: Sighting, number: int, require: Sequence[Equipment]) -> str:
    """Return what is written beside a person: their number, and all that is not as it should be."""
    if person.compliant(require):
        return f"#{number} ok"
    states = {equipment: person.of(equipment).state for equipment in require}
    if set(states.values()) == {"unknown"}:
        return f"#{number} ?"  # short, because most of them are small and stand in a crowd
    words = [_WORDS[state].format(equipment) for equipment, state in states.items() if state != "worn"]
    return f"#{number} " + "\n".join(words)


def _drawable(box: Box, width: int, height: int) -> Box:
    """Cut a box to the picture, at least a pixel wide and high."""
    x1, x2 = sorted(min(max(value, 0.0), width - 1.0) for value in (box[0], box[2]))
    y1, y2 = sorted(min(max(value, 0.0), height - 1.0) for value in (box[1], box[3]))
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)


def _head(person: Sighting, box: NDArray[np.float64], width: int, height: int) -> Box:
    """Return where this person's head is, so that no label hides it."""
    if person.helmet.box is not None:
        return _drawable(person.helmet.box, width, height)
    x1, y1, x2, y2 = (float(value) for value in box)
    return x1 + 0.2 * (x2 - x1), y1, x2 - 0.2 * (x2 - x1), y1 + 0.18 * (y2 - y1)


def _draw_items(scene: Image, people: tuple[Sighting, ...], require: Sequence[Equipment], thickness: int) -> None:
    height, width = scene.shape[:2]
    findings = [person.of(equipment) for person in people for equipment in require]
    for state in ("worn", "missing"):
        boxes = [
            _drawable(finding.box, width, height) for finding in findings if finding.box and finding.state == state
        ]
        _outline(scene, np.array(boxes).reshape(-1, 4), COLOURS[_OF_ITEM[state]], thickness)


def _draw_boxes(scene: Image, boxes: NDArray[np.float64], state: int, thickness: int) -> None:
    _outline(scene, boxes, _INK[state], thickness + 2)  # a rim, so that a line is seen on a vest of its own colour
    _outline(scene, boxes, COLOURS[state], thickness)


def _outline(scene: Image, boxes: NDArray[np.float64], colour: str, thickness: int) -> None:
    import supervision as sv  # a second to import: only when something is drawn

    if len(boxes):
        sv.BoxAnnotator(color=sv.Color.from_hex(colour), thickness=thickness).annotate(scene, _carrier(boxes))


def _draw_corners(scene: Image, boxes: NDArray[np.float64], state: int, thickness: int) -> None:
    import supervision as sv

    for box in boxes:
        length = max(1, round(min(box[2] - box[0], box[3] - box[1]) / 4))
        for colour, width in ((_INK[state], thickness + 2), (COLOURS[state], thickness)):
            pen = sv.BoxCornerAnnotator(color=sv.Color.from_hex(colour), thickness=width, corner_length=length)
            pen.annotate(scene, _carrier(box[None]))


def _write(
    scene: Image, texts: list[str], corners: NDArray[np.int64], states: NDArray[np.int64], writing: Writing
) -> None:
    """Write each text with the top left corner of its background at its place."""
    import supervision as sv

    anchors = corners + np.array([0, 1]) * writing.sizes  # the annotator wants the lower left corner
    pen = sv.LabelAnnotator(
        color=sv.ColorPalette.from_hex(list(COLOURS)),
        text_color=sv.ColorPalette.from_hex(list(_INK)),
        text_scale=writing.scale,
        text_thickness=writing.thickness,
        text_padding=writing.padding,
    )
    pen.annotate(scene, _carrier(np.hstack([anchors, anchors + 1]), states), labels=texts)


def _carrier(boxes: NDArray[Any], states: NDArray[np.int64] | None = None) -> Any:
    """Return supervision's own carrier of these boxes."""
    import supervision as sv

    return sv.Detections(
        xyxy=boxes.astype(np.float32), class_id=np.zeros(len(boxes), int) if states is None else states
    )
