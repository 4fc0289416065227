"""A request's body becomes uploads while it arrives: none waits for the next, nothing touches the disk, and of a file
that is too large nothing is kept."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from service.api.problems import Problem

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FIELDS: Final = frozenset({b"image", b"images"})
MOST_OTHER_PARTS: Final = 16
"""A form may carry this many parts that are no pictures, file inputs in which nothing was chosen among them."""
MOST_FIELD_BYTES: Final = 1000
"""Of a value beside the pictures; a longer one counts as empty."""

# It warns about every malformed body, in its own words; the problem in the answer says the same.
logging.getLogger("python_multipart.multipart").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What a body may hold: bytes of one file, files."""

    bytes: int
    images: int


@dataclass(frozen=True, slots=True)
class Upload:
    """One file as it came. Of a file larger than is taken only the size is known."""

    content: bytes
    size: int
    filename: str | None = None


async def uploads(
    request: Request, limits: UploadLimits, fields: dict[str, str] | None = None
) -> AsyncGenerator[Upload, None]:
    """Yield the pictures of a body in order of appearance: a raw one, or the parts `image` and `images` of a form.

    Args:
        request: whose body.
        limits: what it may hold.
        fields: takes the form's other values by name; without it they are read past.

    Raises:
        Problem: UNSUPPORTED_MEDIA_TYPE, MULTIPART_INVALID, TOO_MANY_IMAGES or NO_IMAGE.
        ClientDisconnect: the client left before the body was complete.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind == b"multipart/form-data":
        async for upload in _form(request, options.get(b"boundary", b""), limits, fields):
            yield upload
    elif kind in (b"", b"application/octet-stream") or kind.startswith(b"image/"):
        whole = _Part(limits.bytes)
        async with aclosing(request.stream()) as body:
            async for chunk in body:
                whole.add(chunk)
        yield whole.upload()
    else:
        raise Problem(
            "UNSUPPORTED_MEDIA_TYPE",
            f"A body of {kind.decode('latin-1')[:100]} is not taken: send multipart/form-data with a file in the field "
            "image, or the picture's bytes with Content-Type image/jpeg (or another image/*).",
        )


async def _form(
    request: Request, boundary: bytes, limits: UploadLimits, fields: dict[str, str] | None
) -> AsyncGenerator[Upload, None]:
    if not boundary:
        raise Problem("MULTIPART_INVALID", "Content-Type names no boundary: let the HTTP client write this header.")
    form = _Form(limits, fields)
    try:
        parser = MultipartParser(boundary, form.callbacks)
        async with aclosing(request.stream()) as body:
            async for chunk in body:
                parser.write(chunk)
                for upload in form.take():
                    yield upload
    except FormParserError as error:
        raise Problem(
            "MULTIPART_INVALID", "The body is no multipart/form-data with the boundary that Content-Type names."
        ) from error
    if not form.ended:
        raise Problem("MULTIPART_INVALID", "The body ends before its closing boundary: send it whole.")
    if not form.images:
        named = f"; this one has {', '.join(sorted(form.others))}" if form.others else ""
        raise Problem("NO_IMAGE", f"Send at least one file in the field image (or images){named}.")


class _Part:
    """One part of a form, or a whole raw body, that grows."""

    __slots__ = ("_chunks", "_limit", "field", "filename", "kept", "named", "size", "wanted")

    def __init__(self, limit: int) -> None:
        self.filename: str | None = None
        self.named = False
        self.wanted = True
        self.kept = True
        self.field = ""
        self.size = 0
        self._limit = limit
        self._chunks: list[bytes] = []

    def add(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size > (self._limit if self.wanted else MOST_FIELD_BYTES) or not self.kept:
            self._chunks.clear()
        else:
            self._chunks.append(chunk)

    def upload(self) -> Upload:
        return Upload(b"".join(self._chunks), self.size, self.filename)


class _Form:
    """What the multipart parser tells, collected: finished pictures wait until they are taken."""

    def __init__(self, limits: UploadLimits, fields: dict[str, str] | None) -> None:
        self.ended = False
        self._fields = fields
        self.images = 0
        self.others: set[str] = set()
        self._limits = limits
        self._other_parts = 0
        self._part = _Part(limits.bytes)
        self._header = b""
        self._value = b""
        self._done: list[Upload] = []
        self.callbacks: MultipartCallbacks = {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def take(self) -> list[Upload]:
        done, self._done = self._done, []
        return done

    def _begin(self) -> None:
        self._part = _Part(self._limits.bytes)

    def _header_name(self, chunk: bytes, start: int, end: int) -> None:
        self._header += chunk[start:end]

    def _header_value(self, chunk: bytes, start: int, end: int) -> None:
        self._value += chunk[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(self._value.decode("latin-1"))
            name = options.get(b"name")
            self._part.named = name is not None
            self._part.wanted = name in FIELDS
            filename = options.get(b"filename")
            self._part.filename = None if filename is None else _text(filename)
            self._part.kept = self._part.wanted or self._fields is not None
            if name is not None and not self._part.wanted:
                self._part.field = _text(name)[:40]
                self.others.add(self._part.field)
        self._header = self._value = b""

    def _headers_finished(self) -> None:
        if not self._part.named:
            raise Problem("MULTIPART_INVALID", "A part has no Content-Disposition with a name.")
        if self._part.wanted:
            if self.images >= self._limits.images and self._part.filename != "":
                raise Problem("TOO_MANY_IMAGES", f"At most {self._limits.images} pictures a request are taken.")
            return
        self._count_other()

    def _data(self, chunk: bytes, start: int, end: int) -> None:
        self._part.add(chunk[start:end])

    def _end(self) -> None:
        if self._fields is not None and not self._part.wanted:
            self._fields[self._part.field] = _text(self._part.upload().content)
        nothing_chosen = self._part.filename == "" and not self._part.size  # how a browser sends an empty file input
        if nothing_chosen and self._part.wanted:
            self._count_other()
        if not self._part.wanted or nothing_chosen:
            return
        self.images += 1
        self._done.append(self._part.upload())

    def _count_other(self) -> None:
        self._other_parts += 1
        if self._other_parts > MOST_OTHER_PARTS:
            raise Problem("MULTIPART_INVALID", f"At most {MOST_OTHER_PARTS} parts beside the pictures are taken.")

    def _finish(self) -> None:
        self.ended = True


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
