"""The screen's texts: one file of `catalogues` a language, and which one a browser wants."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from service.delivery.catalogue import Catalogue, catalogue, languages

FOLDER: Final = Path(__file__).parent / "catalogues"
FALLBACK: Final = "en"


def spoken() -> list[str]:
    """Return the languages that the screen has, sorted."""
    return languages(FOLDER)


def texts(language: str) -> Catalogue:
    """Return the screen's texts in a language that it has."""
    return catalogue(language, FOLDER)


def wanted(chosen: str | None, accepted: str) -> str:
    """Return the language of a page.

    Args:
        chosen: what was chosen at this browser, if anything.
        accepted: its Accept-Language header.
    """
    known = spoken()
    if chosen in known:
        return str(chosen)
    ranked = sorted(map(_weighed, accepted.split(",")[:20]), key=lambda one: -one[1])
    return next((one for one, weight in ranked if weight > 0 and one in known), FALLBACK)


def _weighed(part: str) -> tuple[str, float]:
    """Return one language of the header with its weight; regions say nothing here."""
    name, _, rest = part.partition(";")
    _, _, weight = rest.strip().partition("q=")
    try:
        return name.strip().partition("-")[0].lower(), float(weight) if weight else 1.0
    except ValueError:
        return "", 0.0
