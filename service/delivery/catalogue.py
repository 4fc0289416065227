"""Texts for people: one file of `catalogues` a language, with a form for each kind of number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

FOLDER: Final = Path(__file__).parent / "catalogues"
OTHER: Final = "other"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The texts of one language.

    Attributes:
        plural: conditions of the forms of a number, in order: `is` lists numbers, `mod10` and `mod100` remainders,
            `not_mod100` remainders that must not be; all of a form must hold.
        texts: texts by their keys; one that counts has a text for each form.
    """

    language: str
    plural: Mapping[str, Mapping[str, list[int]]]
    texts: Mapping[str, str | Mapping[str, str]]

    def say(self, key: str, n: int | None = None, **words: object) -> str:
        """Return a text with its words filled in; one that counts takes its form from `n`."""
        text = self.texts[key]
        if not isinstance(text, str):
            text = text[self.form(n or 0)]
        return text.format(n=n, **words)

    def form(self, n: int) -> str:
        """Return which form a number takes."""
        return next((form for form, conditions in self.plural.items() if _fits(n, conditions)), OTHER)


def _fits(n: int, conditions: Mapping[str, list[int]]) -> bool:
    found = {"is": n, "mod10": n % 10, "mod100": n % 100}
    wanted = all(found[name] in numbers for name, numbers in conditions.items() if name in found)
    return wanted and n % 100 not in conditions.get("not_mod100", [])


def languages(folder: Path = FOLDER) -> list[str]:
    """Return the languages that there are, sorted."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


@cache
def catalogue(language: str, folder: Path = FOLDER) -> Catalogue:
    """Return the texts of a language.

    Args:
        folder: that has a file for each.

    Raises:
        ValueError: there are none.
    """
    if language not in languages(folder):
        raise ValueError(f"there are no texts in the language {language!r}, only in {', '.join(languages(folder))}")
    read: dict[str, Any] = yaml.safe_load((folder / f"{language}.yaml").read_text(encoding="utf-8"))
    return Catalogue(language, read["plural"], read["texts"])
