"""How large people must be, drawn: bars of the needed height beside the typical one on a picture, and a histogram."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from service.ports import Image
from service.safety.sizes import BIN, Heights, Sizes

WIDTH: Final = 960
"""Pixels across of what is drawn."""
_TALLEST: Final = 640
_PLOT: Final = 260
_MARGIN: Final = 44
_PAPER: Final = (255, 255, 255)
_INK: Final = (40, 40, 40)
_BLUE: Final = (178, 114, 0)
_VERMILION: Final = (0, 94, 213)
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_TEXT: Final = 0.5
_Colour = tuple[int, int, int]


def drawn_sizes(found: Sizes, heights: Heights, picture: Image | None, width: int, height: int) -> Image:
    """Draw how large people are and must be.

    Args:
        found: what is known.
        heights: the histogram behind it.
        picture: of the camera, any size; None draws on grey.
        width, height: of the camera's pictures as they come, in pixels.

    Returns:
        the picture with bars on it, and the histogram below, `WIDTH` pixels wide.
    """
    factor = min(WIDTH / width, _TALLEST / height)
    size = round(width * factor), round(height * factor)
    scene = np.full((size[1], WIDTH, 3), 255, np.uint8)
    under = np.full((height, width, 3), 150, np.uint8) if picture is None else picture
    scene[:, : size[0]] = cv2.resize(under, size, interpolation=cv2.INTER_AREA)
    bars = [(f"{names} from {need:.0f}", need, _BLUE) for names, need in _needs(found)]
    bars.append((f"typical here: {found.typical:.0f}", found.typical, _VERMILION))
    for place, (words, tall, colour) in enumerate(bars):
        _bar(scene, 24 + 200 * place, round(tall * factor / found.now.scale), words, colour)
    return np.vstack([scene, _histogram(found, heights)])


def _needs(found: Sizes) -> list[tuple[str, float]]:
    """Return each needed height with the names of what needs it, smallest first."""
    return [
        (" and ".join(name for name, least in found.needed.items() if least == need), need)
        for need in sorted(set(found.needed.values()))
    ]


def _bar(scene: Image, x: int, tall: int, words: str, colour: _Colour) -> None:
    """Draw a person's outline of so many pixels that stands on the lower edge."""
    foot = scene.shape[0] - 12
    top = max(24, foot - tall)
    wide = max(4, round(0.36 * tall))
    for thickness, pen in ((5, _PAPER), (3, colour)):
        cv2.rectangle(scene, (x, top), (x + wide, foot), pen, thickness)
    (across, _), _ = cv2.getTextSize(words, _FONT, _TEXT, 1)
    cv2.rectangle(scene, (x - 2, top - 22), (x + across + 4, top - 3), _PAPER, cv2.FILLED)
    _write(scene, words, (x, top - 8), colour)


def _histogram(found: Sizes, heights: Heights) -> Image:
    """Draw how much of the time people have which height, with the needed heights as lines."""
    plot = np.full((_PLOT, WIDTH, 3), 255, np.uint8)
    edge = BIN * (1 + int(max([*heights, *found.needed.values(), 1.0]) // BIN))
    total, most = max(1.0, float(sum(heights.values()))), max([*heights.values(), 1])
    floor, room = _PLOT - _MARGIN, _PLOT - _MARGIN - 56

    def across(pixels: float) -> int:
        return round(_MARGIN + (WIDTH - 2 * _MARGIN) * pixels / edge)

    for low, count in heights.items():
        enough = low >= max(found.needed.values())
        cv2.rectangle(
            plot,
            (across(low) + 1, floor - round(room * count / most)),
            (across(low + BIN) - 1, floor),
            _BLUE if enough else _VERMILION,
            cv2.FILLED,
        )
    cv2.line(plot, (_MARGIN, floor), (WIDTH - _MARGIN, floor), _INK, 1)
    for pixels in range(0, edge + 1, max(BIN, round(edge / 12 / BIN) * BIN)):
        _write(plot, f"{pixels}", (across(pixels) - 10, floor + 18), _INK)
    for place, (names, need) in enumerate(_needs(found)):
        cv2.line(plot, (across(need), 24 + 18 * place), (across(need), floor), _INK, 2)
        _write(plot, f"{names} from {need:.0f}", (across(need) + 6, 34 + 18 * place), _INK)
    words = f"heights of people in pixels as the model sees them; highest bar {most / total:.0%} of the time"
    _write(plot, words, (_MARGIN, _PLOT - 8), _INK)
    return plot


def _write(image: Image, words: str, at: tuple[int, int], colour: _Colour) -> None:
    cv2.putText(image, words, at, _FONT, _TEXT, colour, 1, cv2.LINE_AA)
