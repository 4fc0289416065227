"""Where a set's pictures come from, and classes that one source never labels while the others do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from service.lab.checking.findings import SHOWN, Example, Finding, counted
from service.lab.checking.survey import UNNAMED, Ints, Mask, Survey
from service.lab.dataset.records import SPLITS, Picture
from service.lab.splits import stem
from service.safety.equipment import CLASSES, ClassName

TOLD, GUESSED = 5, 30
"""The least pictures to judge a source by that the set itself names, and one guessed from file names."""
CHANCE: Final = 0.001
"""Probability under which a class is not lacking by accident, were it as common there as elsewhere."""
BARE: Final = 0.3
"""Share of people without a label of the kind from which a source that labels one of two classes omits the other."""
ROWS: Final = 20
"""Sources that a table names at most."""
NAMELESS: Final = "(no name)"
_KINDS: Final[tuple[tuple[ClassName, ...], ...]] = (("helmet", "no-helmet"), ("vest", "no-vest"), ("person",))
"""Classes of which every person shows one."""
_LETTERS: Final = re.compile(r"[^\W\d_]+(?:[-_. ]+[^\W\d_]+)*")
_SPLITS: Final = frozenset({*SPLITS, "val", "validation", "eval"})


@dataclass(frozen=True, slots=True)
class Source:
    """The pictures (indices) of one source; `told` by the set itself, and not guessed from letters of a file name."""

    name: str
    pictures: tuple[int, ...]
    told: bool


@dataclass(frozen=True, slots=True)
class Lack:
    """Classes that a source never labels, on how many pictures it could have, and how often others do (share)."""

    source: Source
    classes: tuple[ClassName, ...]
    chances: int
    elsewhere: float


def sources(survey: Survey) -> list[Source]:
    """Return the sources of a set, the largest first.

    Told are those that a prepared set's ``provenance.jsonl`` names and what stands before ``__`` in a file name. Else a
    source is the letters that a file name begins with (``youtube-12`` -> ``youtube``); names of splits are none.
    """
    known = _provenance(survey.folder)
    found: dict[str, list[int]] = {}
    told = set()
    for index, one in enumerate(survey.seen):
        name = known.get((one.picture.split, one.picture.path.name)) or _before(one.picture)
        told.add(name)
        found.setdefault(name or _letters(one.picture), []).append(index)
    listed = [Source(name, tuple(pictures), name in told) for name, pictures in found.items()]
    return sorted(listed, key=lambda source: (-len(source.pictures), source.name))


def table(survey: Survey) -> tuple[tuple[str, ...], ...]:
    """Return boxes of each class by source, the first row a head; no row where there is one source only."""
    listed, counts = sources(survey), by_picture(survey)
    if len(listed) < 2:
        return ()
    rows = [(one.name, len(one.pictures), counts[list(one.pictures)].sum(axis=0)) for one in listed]
    if len(rows) > ROWS:
        rest = rows[ROWS - 1 :]
        total = np.sum([boxes for _, _, boxes in rest], axis=0)
        rows[ROWS - 1 :] = [(f"({len(rest)} others)", sum(pictures for _, pictures, _ in rest), total)]
    return (
        ("source", "pictures", *CLASSES),
        *((name, f"{pictures:,}", *(f"{count:,}" for count in boxes)) for name, pictures, boxes in rows),
    )


def as_json(survey: Survey) -> dict[str, dict[str, int]]:
    """Return for each source its pictures and its boxes of each class."""
    counts = by_picture(survey)
    return {
        one.name: {
            "pictures": len(one.pictures),
            **dict(zip(CLASSES, counts[list(one.pictures)].sum(axis=0).tolist(), strict=True)),
        }
        for one in sources(survey)
    }


def by_picture(survey: Survey) -> Ints:
    """Return (pictures, 5) how many boxes of each class a picture has."""
    counts = np.zeros((len(survey.seen), len(CLASSES)), dtype=np.int64)
    named = survey.table.class_id != UNNAMED
    np.add.at(counts, (survey.table.of[named], survey.table.class_id[named]), 1)
    return counts


def find(survey: Survey) -> Iterator[Finding]:
    """Yield a finding when sources never label what the others label."""
    counts = by_picture(survey)
    lacks = [lack for source in sources(survey) for lack in _lacks(counts, source)]
    if not lacks:
        return
    hit = sorted({index for lack in lacks for index in lack.source.pictures})
    told = "; ".join(
        f"{lack.source.name}: never {' or '.join(lack.classes)}, on {lack.chances:,} pictures with people or equipment "
        f"(elsewhere {100 * lack.elsewhere:.0f} % of such pictures have it)"
        for lack in lacks[:10]
    )
    each = max(1, SHOWN // len(lacks))
    yield Finding(
        "class-by-source",
        "warning",
        "Classes that some sources never label",
        f"{counted(len(hit), len(survey.seen), 'pictures')} are of sources that leave out what others label. {told}. "
        "Trained on together, they teach that it is background.",
        "Label it there, let a model add it (`ppe dataset prepare --labels-from`), or leave the source out.",
        len(hit),
        len(survey.seen),
        tuple(_example(survey, lack, index) for lack in lacks for index in lack.source.pictures[:each])[:SHOWN],
        table(survey),
    )


def _example(survey: Survey, lack: Lack, index: int) -> Example:
    picture = survey.seen[index].picture
    return Example(picture.path, f"{lack.source.name}, never {' or '.join(lack.classes)}", picture.boxes)


def _lacks(counts: Ints, source: Source) -> Iterator[Lack]:
    mine = np.zeros(len(counts), dtype=bool)
    mine[list(source.pictures)] = True
    shows = counts.sum(axis=1) > 0  # people or equipment
    for kind in _KINDS:
        columns = [CLASSES.index(name) for name in kind]
        bare = _bare(counts[mine], columns)
        if not counts[mine][:, columns].any():
            # letters of a file name are a guess: then only people without a label show that it was left out
            if source.told or kind == ("person",) or bare:
                yield from _lack(source, kind, shows, counts[:, columns].sum(axis=1) > 0, mine)
        elif source.told and bare:
            for name, column in zip(kind, columns, strict=True):
                if not counts[mine, column].any():
                    yield from _lack(source, (name,), shows, counts[:, column] > 0, mine)


def _bare(counts: Ints, columns: list[int]) -> bool:
    """Tell whether many people have no label of these columns: where everybody has one, nobody was left out."""
    people = counts[:, CLASSES.index("person")]
    lacking = np.maximum(people - counts[:, columns].sum(axis=1), 0)
    return bool(people.sum() >= GUESSED and lacking.sum() >= BARE * people.sum())


def _lack(source: Source, classes: tuple[ClassName, ...], shows: Mask, has: Mask, mine: Mask) -> Iterator[Lack]:
    """Yield what a source lacks, unless too few of its pictures could show it, or it is rare elsewhere too."""
    chances, elsewhere = int((mine & shows).sum()), has[~mine & shows]
    if chances >= (TOLD if source.told else GUESSED) and len(elsewhere) >= TOLD:
        share = float(elsewhere.mean())
        if (1 - share) ** chances <= CHANCE:
            yield Lack(source, classes, chances, share)


def _before(picture: Picture) -> str:
    name, sign, rest = picture.base.partition("__")
    return name if sign and rest else ""


def _letters(picture: Picture) -> str:
    found = _LETTERS.match(stem(picture.path.name))
    name = found[0].casefold() if found else ""
    return NAMELESS if name in _SPLITS or not name else name


def _provenance(folder: Path) -> dict[tuple[str, str], str]:
    """Return the source of each picture (split and file name) as told beside a prepared set; a row that can't be read
    tells nothing, and the file name says the same."""
    found = {}
    path = folder / "provenance.jsonl"
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else ():
        try:
            row = json.loads(line)
            found[str(row["split"]), str(row["picture"])] = str(row["source"])
        except (ValueError, KeyError, TypeError):
            continue
    return found
