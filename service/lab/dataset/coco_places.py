"""Where the pictures lie that a COCO json names: its own split's folders are looked at first, nothing is guessed."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Final

from service.lab.dataset.records import Split

_NAMED: Final = re.compile(r"(train|val|test)(ing|id|idation)?[-_ ]?(images|imgs|set)?[-_ ]?\d*")
_WORD: Final = re.compile(r"(?<![a-z])(?:mini)?(train|val|test)")
_SPLIT: Final[dict[str, Split]] = {"train": "train", "val": "valid", "test": "test"}


def split_of_folder(name: str) -> Split | None:
    """Return the split whose folder this is (``train``, ``val2017``, ``test_images``), None for any other name."""
    found = _NAMED.fullmatch(name.lower())
    return _SPLIT[found[1]] if found else None


def split_of(annotations: Path, folder: Path) -> Split | None:
    """Return the split that a COCO file's name or its folder's tells, None where neither does.

    Args:
        annotations: the json file.
        folder: the export's. That folder's own name tells a split only if it is one: ``valid``, not ``test-exports``.
    """
    words = [annotations.name]
    if annotations.parent != folder:
        words.append(annotations.parent.name)
    elif own := split_of_folder(folder.resolve().name):
        words.append(own)
    told = {found[1] for word in words for found in _WORD.finditer(word.lower())}
    return next((split for word, split in _SPLIT.items() if word in told), None)


class UnplacedError(Exception):
    """A name means no picture, or several; says so as what is told of the one who names it."""


class Places:
    """The places where the pictures of one COCO file may lie.

    Args:
        annotations: the json file.
        folder: the export's; nothing outside it is looked through.
        split: the file's; None where nothing tells it, and any picture of a name may be meant.
    """

    def __init__(self, annotations: Path, folder: Path, split: Split | None) -> None:
        self._folder, self._split = folder, split
        beside = annotations.parent
        self._beside = (beside, beside / "images")
        self._own = tuple(self._folders_of_split())
        self._shared = (folder / "images", folder)
        self._by_name: dict[str, list[Path]] | None = None

    def find(self, name: str) -> Path:
        """Return the picture that a name in the file means.

        Raises:
            UnplacedError: there is none, or there are several.
        """
        for folder in self._beside:
            if (folder / name).is_file():
                return folder / name
        own = [folder / name for folder in self._own if (folder / name).is_file()]
        if own:
            return self._only(name, own)
        for folder in self._shared:
            if (folder / name).is_file():
                return folder / name
        return self._anywhere(name)

    def _folders_of_split(self) -> list[Path]:
        bases = [base for base in (self._folder, self._folder / "images") if base.is_dir()] if self._split else []
        named = [
            folder
            for base in bases
            for folder in sorted(base.iterdir())
            if split_of_folder(folder.name) == self._split and folder.is_dir()
        ]
        return [place for folder in named for place in (folder, folder / "images")]

    def _anywhere(self, name: str) -> Path:
        """Look through the whole export, its own split's folders before those that tell none, never another's."""
        if self._by_name is None:
            self._by_name = defaultdict(list)
            for path in sorted(self._folder.rglob("*")):
                if path.is_file():
                    self._by_name[path.name].append(path)
        tail = Path(name).parts
        found = self._by_name.get(Path(name).name, [])
        whole = [path for path in found if path.parts[-len(tail) :] == tail]
        by_split: dict[Split | None, list[Path]] = defaultdict(list)
        for path in whole or found:
            by_split[self._told(path)].append(path)
        fitting = by_split.get(self._split) or by_split.get(None) or []
        if not fitting:
            others = " or ".join(sorted(self._shown(path) for path in found))
            elsewhere = f" ({others} is of another split)" if others else ""
            raise UnplacedError(f"lists the picture {name!r}, which is not there{elsewhere}")
        return self._only(name, fitting)

    def _told(self, path: Path) -> Split | None:
        if self._split is None:
            return None
        folders = path.relative_to(self._folder).parts[:-1]
        return next((split for split in map(split_of_folder, folders) if split is not None), None)

    def _only(self, name: str, found: list[Path]) -> Path:
        if len({path.resolve() for path in found}) > 1:
            places = " or ".join(self._shown(path) for path in found)
            raise UnplacedError(f"lists the picture {name!r}, which may be {places}")
        return found[0]

    def _shown(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()
