"""The plain rule: which labelled item can belong to which labelled person, and who is left ambiguous.

Kept apart from the product's own association on purpose: a truth made by the code under test would agree with it.
Boxes are ``(x1, y1, x2, y2)`` in pixels of the upright picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from service.lab.dataset.cards import Card
from service.lab.dataset.records import Picture
from service.safety.equipment import EQUIPMENT, Equipment

Box = tuple[float, float, float, float]

# Where an item's centre may lie on the person's box, as a share of its height from the top. Wide enough for people
# who are cut off at the waist; somebody who bends down falls out of it and is looked at instead.
BAND: Final[dict[Equipment, tuple[float, float]]] = {"helmet": (0.0, 0.45), "vest": (0.1, 0.85)}
LEAST_INSIDE: Final = 0.5  # share of the item's area that must lie in the person's box


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled helmet, bare head, vest or torso without a vest."""

    equipment: Equipment
    worn: bool
    box: Box


@dataclass(frozen=True, slots=True)
class Labels:
    """What one picture's labels say in the product's words; boxes to a tenth of a pixel."""

    people: tuple[Box, ...]
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rule makes of one labelled person: the one item of each equipment, or why there is no such one."""

    person: Box
    items: dict[Equipment, Item]
    doubts: tuple[str, ...]


def labels_of(picture: Picture, card: Card, width: int, height: int) -> Labels:
    """Translate a picture's labels by its dataset card, into pixels of a `width` x `height` picture."""
    people: list[Box] = []
    items: list[Item] = []
    for labelled in picture.boxes:
        target = card.target(labelled.label)
        half_w, half_h = labelled.w / 2, labelled.h / 2
        box = (
            round((labelled.cx - half_w) * width, 1),
            round((labelled.cy - half_h) * height, 1),
            round((labelled.cx + half_w) * width, 1),
            round((labelled.cy + half_h) * height, 1),
        )
        if target == "person":
            people.append(box)
        elif target is not None:
            equipment: Equipment = "helmet" if target in ("helmet", "no-helmet") else "vest"
            items.append(Item(equipment, target == equipment, box))
    return Labels(tuple(people), tuple(items))


def can_belong(item: Item, person: Box) -> bool:
    """Say whether the item lies where this person's head (helmet) or torso (vest) can be."""
    x1, y1, x2, y2 = item.box
    low, high = BAND[item.equipment]
    across = person[0] <= (x1 + x2) / 2 <= person[2]
    down = low <= ((y1 + y2) / 2 - person[1]) / max(person[3] - person[1], 1e-9) <= high
    return across and down and lies_in(item.box, person)


def verdicts(labels: Labels) -> list[Verdict]:
    """Judge every labelled person, in the order of the labels; a verdict with doubts must be looked at."""
    owners = {item: sum(can_belong(item, person) for person in labels.people) for item in labels.items}
    found = []
    for person in labels.people:
        items: dict[Equipment, Item] = {}
        doubts = []
        for equipment in EQUIPMENT:
            fitting = [item for item in labels.items if item.equipment == equipment and can_belong(item, person)]
            if len(fitting) != 1:
                doubts.append(f"{len(fitting)} {equipment} items")
            elif owners[fitting[0]] > 1:
                doubts.append(f"{equipment} item claimed by {owners[fitting[0]]} people")
            else:
                items[equipment] = fitting[0]
        found.append(Verdict(person, items, tuple(doubts)))
    return found


def ownerless(labels: Labels) -> list[Item]:
    """Return the items that fit no labelled person."""
    return [item for item in labels.items if not any(can_belong(item, person) for person in labels.people)]


def lies_in(item: Box, person: Box) -> bool:
    """Say whether enough of the item's area lies in the person's box."""
    width = min(item[2], person[2]) - max(item[0], person[0])
    height = min(item[3], person[3]) - max(item[1], person[1])
    area = (item[2] - item[0]) * (item[3] - item[1])
    return width > 0 and height > 0 and width * height >= LEAST_INSIDE * area
