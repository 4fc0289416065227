"""Classes: which of the product's are there, in which split, how many of each, and labels that nobody explained."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from service.lab.checking import sources
from service.lab.checking.findings import SHOWN, Example, Finding, counted
from service.lab.checking.survey import UNNAMED, Survey
from service.safety.equipment import CLASS_ID, CLASSES, EQUIPMENT, MISSING_CLASS, WORN_CLASS, ClassName

RARE: Final = 0.5
"""Boxes for each of its opposite (no-helmet for helmet ...) below which a class is rare."""
ENOUGH: Final = 1500
"""Distinct boxes a class from which it is no longer called few. Ultralytics' "Tips for Best YOLO Training Results" asks
for 1,500 pictures and 10,000 boxes a class; fine-tuning gets by with less."""
APART: Final = 0.25
"""Share of a missing class's pictures that show any worn equipment, below which the class stands apart."""
JUDGED: Final = 30
"""Pictures or boxes below which a share says nothing."""
_OURS: Final = re.compile(r"helm|hat\b|hard|head|vest|jacket|person|people|worker|human|capacete|colete|casque|gilet")


def find(survey: Survey) -> Iterator[Finding]:
    """Yield what is wrong with the classes."""
    counts = Counter[ClassName]()
    for split in survey.splits:
        counts.update(survey.counts(split))
    yield from _missing(survey, counts)
    yield from _missing_in_split(survey, counts)
    yield from _rare(survey, counts)
    yield from _few(survey, counts)
    yield from _apart(survey)
    yield from _unexplained(survey)
    yield from _people(survey)
    yield from sources.find(survey)
    if "valid" not in survey.splits and "test" not in survey.splits:
        yield Finding(
            "no-held-out-split", "note", "Nothing is held out",
            "The set has no valid and no test split, so nothing measured on it would say how well a model does.",
            "Hold out whole videos or sites, not single pictures; or measure on another set.", 0, len(survey.seen),
        )  # fmt: skip


def _missing(survey: Survey, counts: Counter[ClassName]) -> Iterator[Finding]:
    total = sum(counts.values())
    for name in CLASSES:
        if counts[name]:
            continue
        spelled = [label for label, target in survey.card.labels.items() if target == name]
        unpeopled = name == "person" and not survey.card.people_labelled
        known = unpeopled or not spelled or survey.card.addition
        mend = (
            "Add person boxes from a COCO model (`ppe dataset prepare --people-from`), or label them."
            if name == "person"
            else "If the set names it otherwise, write a card that says so (--card). If it was dropped, export it "
            "again; else train together with a set that labels it."
        )
        why = " Its card says so." if known else ""
        yield Finding(
            "class-missing",
            "warning" if known else "fault",
            f"No box of the class {name}",
            f"None of {total:,} boxes means {name}.{why} Trained on this set alone, a model learns that {name} is "
            "background.",
            mend,
            0,
            total,
        )


def _missing_in_split(survey: Survey, counts: Counter[ClassName]) -> Iterator[Finding]:
    for split in survey.splits:
        here = survey.counts(split)
        lacking = [name for name in CLASSES if counts[name] and not here[name]]
        pictures = len(survey.of_split(split))
        if lacking and pictures >= JUDGED:
            yield Finding(
                "class-missing-in-split",
                "warning",
                f"Classes that {split} lacks",
                f"{', '.join(lacking)}: labelled elsewhere in the set, on none of the {pictures} pictures of {split}.",
                "Divide the set again, by video or site, so that every split holds every class.",
                len(lacking),
                len(CLASSES),
            )


def _rare(survey: Survey, counts: Counter[ClassName]) -> Iterator[Finding]:
    for equipment in EQUIPMENT:
        worn, missing = CLASSES[WORN_CLASS[equipment]], CLASSES[MISSING_CLASS[equipment]]
        for rare, common in ((worn, missing), (missing, worn)):
            if 0 < counts[rare] < RARE * counts[common] and counts[common] >= JUDGED:
                yield Finding(
                    "class-rare",
                    "warning",
                    f"{rare} is rare",
                    f"{counts[rare]:,} boxes {rare} against {counts[common]:,} {common}: "
                    f"{counts[rare] / counts[common]:.2f} for each.",
                    "Add pictures of it, or show its pictures more often in training (repeat-factor sampling).",
                    counts[rare],
                    counts[rare] + counts[common],
                    _examples(survey, rare),
                )


def _few(survey: Survey, counts: Counter[ClassName]) -> Iterator[Finding]:
    copies = len(survey.seen) / len({(one.picture.split, one.picture.base) for one in survey.seen})
    distinct = {name: round(counts[name] / copies) for name in CLASSES if counts[name]}
    few = {name: count for name, count in distinct.items() if count < ENOUGH}
    if few:
        told = ", ".join(f"{name} {count:,}" for name, count in sorted(few.items(), key=lambda pair: pair[1]))
        yield Finding(
            "few-boxes",
            "note",
            "Few distinct boxes",
            f"About {told} (augmented copies of one picture counted once).",
            f"Below {ENOUGH:,} a class, train together with other sets and start from weights that know the classes.",
            len(few),
            len(CLASSES),
        )


def _apart(survey: Survey) -> Iterator[Finding]:
    table = survey.table
    worn = set(table.of[table.is_a("helmet", "vest")].tolist())
    for equipment in EQUIPMENT:
        name = CLASSES[MISSING_CLASS[equipment]]
        shown = set(table.of[table.is_a(name)].tolist())
        together = len(shown & worn)
        if len(shown) >= JUDGED and worn and together < APART * len(shown):
            lonely = sorted(shown - worn)[:SHOWN]
            yield Finding(
                "class-apart",
                "warning",
                f"{name} is seen apart from work",
                f"Only {counted(together, len(shown), f'pictures with {name}')} show a helmet or a vest too. A model "
                "may learn the surroundings (a street, a selfie) in place of the missing equipment.",
                "Add pictures of building sites on which some people lack it.",
                len(shown) - together,
                len(shown),
                tuple(_example(survey, index, name) for index in lonely),
            )


def _unexplained(survey: Survey) -> Iterator[Finding]:
    labels = Counter(box.label for box, id_ in zip(survey.table.boxes, survey.table.class_id, strict=True) if id_ < 0)
    if not labels:
        return
    nothing = not (survey.table.class_id != UNNAMED).any()
    alike = [label for label in labels if _OURS.search(label.casefold())]
    told = ", ".join(f"{label!r} {count:,}" for label, count in labels.most_common(20))
    said = f" {', '.join(map(repr, alike))} may well mean one of the product's classes." if alike else ""
    yield Finding(
        "label-not-in-card",
        "fault" if nothing else "warning" if alike else "note",
        "Labels that the card does not name",
        f"{counted(sum(labels.values()), len(survey.table.boxes), 'boxes')} are dropped: {told}.{said}",
        f"If one of them means a class of the product, name it in a card (--card; this check used "
        f"{survey.card.name!r}).",
        sum(labels.values()),
        len(survey.table.boxes),
    )


def _people(survey: Survey) -> Iterator[Finding]:
    table = survey.table
    people = set(table.of[table.is_a("person")].tolist())
    items = set(table.of[(table.class_id != UNNAMED) & ~table.is_a("person")].tolist())
    lonely = sorted(items - people)
    if people and lonely and len(lonely) >= 0.1 * len(items):
        yield Finding(
            "people-not-labelled",
            "warning",
            "Pictures with equipment and no person",
            f"{counted(len(lonely), len(items), 'pictures with equipment')} label no person. Some source of this set "
            "may never have labelled people: it teaches that they are background.",
            "Label the people there, or add their boxes from a COCO model.",
            len(lonely),
            len(items),
            tuple(_example(survey, index) for index in lonely[:SHOWN]),
        )


def _examples(survey: Survey, name: ClassName) -> tuple[Example, ...]:
    where = dict.fromkeys(survey.table.of[survey.table.class_id == CLASS_ID[name]].tolist())
    return tuple(_example(survey, index, name) for index in list(where)[:SHOWN])


def _example(survey: Survey, index: int, name: ClassName | None = None) -> Example:
    picture = survey.seen[index].picture
    boxes = tuple(box for box in picture.boxes if name is None or survey.card.target(box.label) == name)
    return Example(picture.path, picture.path.name, boxes)
