"""Build one self-contained HTML page: sections, tables, pictures and plots that need no other file and no network.

Pictures are JPEG data URIs, plots inline SVG (matplotlib's object API, no global figure). Everything else is escaped. A
content security policy in the page forbids every request, so that a report may hold pictures that must not leave.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import cv2

from service.ports import Image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Kind = Literal["text", "table", "pictures", "plot"]
_TEMPLATE: Final = Path(__file__).with_name("page.html")
_QUALITY: Final = 82
_DENSITY: Final = 1.5
"""Stored pixels for each shown one, so that pictures stay sharp on dense screens."""


@dataclass(frozen=True, slots=True)
class _Block:
    kind: Kind
    text: str = ""
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    pictures: tuple[tuple[str, str], ...] = ()
    width: int = 0


@dataclass(slots=True)
class _Section:
    title: str = ""
    blocks: list[_Block] = field(default_factory=list)


class Page:
    """A report in the making: what is added last stands last."""

    def __init__(self, title: str, lead: str = "") -> None:
        self._title, self._lead = title, lead
        self._sections = [_Section()]

    def section(self, title: str, text: str = "") -> None:
        """Begin a section; what is added next stands in it."""
        self._sections.append(_Section(title))
        if text:
            self.text(text)

    def text(self, text: str) -> None:
        """Add a paragraph; line breaks are kept, what stands between `backticks` is set as code."""
        self._add(_Block("text", text=text))

    def table(self, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Add a table; cells are written as ``str`` does, None as an empty cell."""
        cells = tuple(tuple("" if cell is None else str(cell) for cell in row) for row in rows)
        self._add(_Block("table", head=tuple(head), rows=cells))

    def pictures(self, items: Iterable[tuple[Image, str]], width: int = 240) -> None:
        """Add pictures, each with its caption.

        Args:
            items: (h, w, 3) uint8 BGR pictures and captions.
            width: pixels at which each is shown at most; larger pictures are scaled down before they are stored.
        """
        shown = tuple((_jpeg(image, width), caption) for image, caption in items)
        if shown:
            self._add(_Block("pictures", pictures=shown, width=width))

    def plot(self, figure: Figure) -> None:
        """Add a matplotlib figure as inline SVG; its letters stay text."""
        self._add(_Block("plot", text=_svg(figure)))

    def write(self, path: Path) -> None:
        """Write the page; missing folders are made."""
        from jinja2 import Environment, StrictUndefined

        environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        environment.filters["code"] = _with_code
        template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
        sections = [section for section in self._sections if section.title or section.blocks]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(template.render(title=self._title, lead=self._lead, sections=sections) + "\n", encoding="utf-8")

    def _add(self, block: _Block) -> None:
        self._sections[-1].blocks.append(block)


def _with_code(text: str) -> str:
    """Escape a text and mark what stands between backticks as code."""
    from markupsafe import Markup

    parts = text.split("`")
    marked = [Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts)]
    return Markup("").join(marked) if len(parts) % 2 else text


def _jpeg(image: Image, width: int) -> str:
    scale = _DENSITY * width / image.shape[1]
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype("uint8", copy=False)
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise ValueError(f"can't encode a picture of shape {image.shape} as JPEG")
    return "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode("ascii")


def _svg(figure: Figure) -> str:
    """Return a figure as an SVG element; the same figure gives the same bytes."""
    import matplotlib as mpl

    written = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ppe", "font.family": "sans-serif"}):
        figure.savefig(written, format="svg", metadata=nothing)
    text = written.getvalue()
    return text[text.index("<svg") :]
