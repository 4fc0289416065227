"""What commands say: results on stdout, everything else on stderr."""

from __future__ import annotations

from typing import NoReturn

import typer
from rich.console import Console

NOT_ALL_JUDGED, REFUSED = 1, 2
"""Exit codes: some input could not be judged; the command could not do its work at all."""


def out() -> Console:
    """Return the console for results."""
    return Console(highlight=False)


def err() -> Console:
    """Return the console for everything that is no result."""
    return Console(stderr=True, highlight=False)


def say(sentence: str) -> None:
    """Print one sentence on stderr, as it is."""
    err().print(sentence, markup=False, soft_wrap=True)


def refuse(sentence: str) -> NoReturn:
    """Say why the command can't do its work, and leave."""
    say(f"ppe: {sentence}")
    raise typer.Exit(REFUSED)


def shown(name: str) -> str:
    """Return a file's name without anything that would move the cursor or can't be printed."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name)
