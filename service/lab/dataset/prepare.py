"""Merge exports of other people's datasets into one that trains the product's five classes.

The result is an Ultralytics dataset: ``data.yaml``, ``{train,valid,test}/{images,labels}`` and beside it
``provenance.jsonl`` (one row a picture: where it came from, whether its people were labelled or added by a model) and
``counts.json`` (boxes per class, split and source, and what the cards do not name and was therefore dropped).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import yaml

from service.detectors.manifest import WeightsFile
from service.lab.dataset.cards import Card
from service.lab.dataset.completing import SeeBoxes, lacking
from service.lab.dataset.faults import DatasetError, OnNote
from service.lab.dataset.flat import flat_names, put
from service.lab.dataset.layouts import config_of, read_export
from service.lab.dataset.partial import why, without_label
from service.lab.dataset.people import SeePeople, open_people
from service.lab.dataset.records import SPLITS, LabelledBox, Picture, Split
from service.lab.dataset.whole import refuse_unless_empty, whole_folder
from service.safety.equipment import CLASSES

__all__ = ["Counts", "Source", "config_of", "label_row", "prepare", "read_export", "write_config"]


@dataclass(frozen=True, slots=True)
class Source:
    """One export on disk and the card that explains its labels."""

    card: Card
    folder: Path


@dataclass(slots=True)
class Counts:
    """What went into the merged set and what did not."""

    pictures: Counter[str] = field(default_factory=Counter)
    boxes: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    without_label_file: Counter[str] = field(default_factory=Counter)
    people_added: Counter[str] = field(default_factory=Counter)
    labels_added: Counter[str] = field(default_factory=Counter)
    held_out: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, dict[str, int]]:
        """Return the counts as plain mappings; keys are ``source/split[/class]``."""
        return {name: dict(sorted(getattr(self, name).items())) for name in self.__slots__}


def prepare(  # noqa: PLR0913 - whatever says a word about a label is named apart
    sources: list[Source],
    out: Path,
    *,
    people_from: Path | None = None,
    sure_of: SeeBoxes | None = None,
    labels_from: WeightsFile | None = None,
    splits: tuple[Split, ...] = SPLITS,
    held_out: Mapping[str, Container[str]] = MappingProxyType({}),
    on_picture: Callable[[str], None] = lambda _: None,
    on_note: OnNote = lambda _: None,
) -> Counts:
    """Write the merged dataset to `out`, which must not hold anything yet; after a failure it holds nothing.

    Args:
        sources: exports in the order they are merged.
        out: folder to write.
        people_from: a COCO ``.pt`` that adds person boxes where a card says people are not labelled.
        sure_of: what a model is sure of on a picture: added to those of train where no label stands for it.
        labels_from: the weights that are sure of it, told in ``provenance.jsonl``.
        splits: which splits to take.
        held_out: per card, file names of valid that nothing of training may see, not even early stopping.
        on_picture: called with each written picture's name, for a progress bar.
        on_note: takes what a reader says of how it took a source, the card's name before it.

    Raises:
        DatasetError: a source can't be read, or `out` is not empty; a source to train on labels no people and no
            model adds them, or its labels know nothing of a class and no model completes them.
    """
    refuse_unless_empty(out)
    unlabelled = [source.card.name for source in sources if not source.card.people_labelled]
    if unlabelled and people_from is None:
        raise DatasetError(
            sources[0].folder,
            f"{', '.join(unlabelled)} labels no people: training on it would teach that people are background; "
            "add person boxes with --people-from COCO_WEIGHTS.pt, or leave it out",
        )
    pictures = [  # everything is read before anything is written
        (source.card, [picture for picture in _read(source, on_note) if picture.split in splits]) for source in sources
    ]
    counts = Counts()
    for source, (card, listed) in zip(sources, pictures, strict=True):
        if any(picture.split == "train" for picture in listed) and (unknown := without_label(card, source.folder)):
            if sure_of is None:
                raise DatasetError(source.folder, why(card, unknown))
            counts.labels_added.update({f"{card.name}/train/{name}": 0 for name in unknown})
    see = open_people(people_from) if unlabelled and people_from is not None else None
    for card, listed in pictures:
        kept = [one for one in listed if one.split != "valid" or one.path.name not in held_out.get(card.name, ())]
        counts.held_out[f"{card.name}/valid"] += len(listed) - len(kept)
        listed[:] = kept
    with whole_folder(out) as part:
        _write_all(
            part,
            pictures,
            see=see,
            added_by=f"added by {people_from and people_from.name}",
            sure_of=sure_of,
            labels_from=labels_from,
            counts=counts,
            on_picture=on_picture,
        )
    return counts


def _read(source: Source, on_note: OnNote) -> Iterator[Picture]:
    yield from read_export(source.folder, on_note=lambda note: on_note(f"{source.card.name}: {note}"))


def _write_all(  # noqa: PLR0913 - likewise
    out: Path,
    pictures: list[tuple[Card, list[Picture]]],
    *,
    see: SeePeople | None,
    added_by: str,
    sure_of: SeeBoxes | None,
    labels_from: WeightsFile | None,
    counts: Counts,
    on_picture: Callable[[str], None],
) -> None:
    of_card: dict[str, list[Picture]] = {}
    for card, listed in pictures:  # exports of one card share its name, so that theirs may meet
        of_card.setdefault(card.name, []).extend(listed)
    called = {card: iter(flat_names(listed)) for card, listed in of_card.items()}
    with (out / "provenance.jsonl").open("w", encoding="utf-8") as provenance:
        for card, listed in pictures:
            for picture in listed:
                labels = _labels(card, picture, counts)
                people = () if card.people_labelled or see is None else see(picture.path)
                completed = sure_of is not None and picture.split == "train"
                completing = sure_of(picture.path) if sure_of is not None and completed else ()
                lacked = lacking([*labels, *people], completing)
                name = f"{card.name}__{next(called[card.name])}"
                boxes = (*labels, *people, *lacked)
                put(out, picture, name, "".join(label_row(CLASSES.index(box.label), box) for box in boxes))
                counts.people_added.update(f"{card.name}/{picture.split}" for _ in people)
                counts.labels_added.update(f"{card.name}/{picture.split}/{box.label}" for box in lacked)
                row = {
                    "picture": name,
                    "source": card.name,
                    "version": card.version,
                    "original": picture.path.name,
                    "base": picture.base,
                    "split": picture.split,
                    "people": "labelled" if card.people_labelled else added_by,
                    "labels_added": len(lacked),
                    "labels_from": labels_from.model_dump() if completed and labels_from else None,
                }
                provenance.write(json.dumps(row, ensure_ascii=False) + "\n")
                on_picture(name)
    write_config(out)
    (out / "counts.json").write_text(json.dumps(counts.as_json(), indent=2) + "\n", encoding="utf-8")


def _labels(card: Card, picture: Picture, counts: Counts) -> list[LabelledBox]:
    """Return the boxes that the card names, by the product's classes and in its convention; count them all."""
    key = f"{card.name}/{picture.split}"
    counts.pictures[key] += 1
    counts.without_label_file[key] += not picture.has_label_file
    labels = []
    for box in picture.boxes:
        target = card.target(box.label)
        if target is None:
            counts.dropped[f"{card.name}/{box.label}"] += 1
        else:
            labels.append(replace(box.with_height(card.box_height(box.label)), label=target))
            counts.boxes[f"{key}/{target}"] += 1
    return labels


def label_row(class_id: int, box: LabelledBox) -> str:
    """Return a line of a YOLO label file."""
    return f"{class_id} {box.cx:.6f} {box.cy:.6f} {box.w:.6f} {box.h:.6f}\n"


def write_config(out: Path, names: Sequence[str] = CLASSES) -> None:
    """Write the data.yaml of a folder that holds ``<split>/images``."""
    config: dict[str, object] = {}
    for split in SPLITS:
        if (out / split / "images").is_dir():
            config["val" if split == "valid" else split] = f"{split}/images"
    config["names"] = dict(enumerate(names))
    (out / "data.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
