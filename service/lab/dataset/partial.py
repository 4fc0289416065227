"""Classes that the labellers of a set had no word for: trained on as it is, it would teach that there is none of them.

What counts are the words (a data.yaml's names, COCO categories), not the boxes: whoever had a word for a bare head and
boxed none has looked and found none.
"""

from __future__ import annotations

import json
from pathlib import Path

from service.lab.dataset.cards import Card
from service.lab.dataset.coco import coco_files
from service.lab.dataset.layouts import config_of
from service.lab.dataset.yolo import class_names
from service.safety.equipment import CLASSES, ClassName


def without_label(card: Card, folder: Path) -> tuple[ClassName, ...]:
    """Return the classes that no label of an export means, in their order; people only where the card says labelled.

    Args:
        card: says what the labels mean.
        folder: the export, which can be read.
    """
    meant = {card.target(word) for word in _words(folder)}
    return tuple(name for name in CLASSES if name not in meant and (name != "person" or card.people_labelled))


def why(card: Card, classes: tuple[ClassName, ...]) -> str:
    """Say why such a set is refused, and the ways out."""
    ways = ["complete it with --labels-from MANIFEST, weights that know every class and add what they are sure of"]
    if "person" in classes:
        ways.append("give it a card with people_labelled = false and --people-from COCO_WEIGHTS.pt")
    what = f"{card.name} has no label for {', '.join(classes)}: training on it would teach that there is none"
    return f"{what}; {', or '.join([*ways, 'leave it out'])}"


def _words(folder: Path) -> list[str]:
    config = config_of(folder)
    if config is not None:
        return class_names(config)
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in coco_files(folder)]
    return [str(category["name"]) for document in documents for category in document["categories"]]
