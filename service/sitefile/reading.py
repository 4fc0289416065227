"""A site file's text becomes what it says, or a list of mistakes.

Reading it never stops at the first mistake: every one is reported with its line and how to mend it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from service.sitefile.model import SiteFile
from service.sitefile.references import strangers

LARGEST: Final = 2**20
DEEPEST: Final = 32
_OPENING: Final = (
    yaml.FlowSequenceStartToken
    | yaml.FlowMappingStartToken
    | yaml.BlockSequenceStartToken
    | yaml.BlockMappingStartToken
)
_CLOSING: Final = yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken | yaml.BlockEndToken


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong in a site file: where (line from 1, and the keys that lead there) and what to do."""

    line: int
    where: str
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.where}: {self.what}" if self.where else f"line {self.line}: {self.what}"


TOO_LARGE: Final = Mistake(1, "", f"larger than {LARGEST} bytes: no site file is")


class SiteFileError(Exception):
    """A site file can't be used; holds every mistake in it."""

    def __init__(self, path: Path, mistakes: tuple[Mistake, ...]) -> None:
        self.path, self.mistakes = path, mistakes
        super().__init__("\n".join(f"{path}: {mistake}" for mistake in mistakes))


def read_site(path: Path) -> SiteFile:
    """Read a site file.

    Raises:
        SiteFileError: it can't be read or something in it is wrong.
    """
    return parse_site(site_text(path), path)


def site_text(path: Path) -> str:
    """Read the text of a site file.

    Raises:
        SiteFileError: it can't be read, is too large or no text.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise SiteFileError(path, (Mistake(1, "", f"can't read it ({error.strerror})"),)) from error
    if len(content) > LARGEST:
        raise SiteFileError(path, (TOO_LARGE,))
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SiteFileError(path, (Mistake(line, "", "not UTF-8 text; save the file as UTF-8"),)) from None


def parse_site(text: str, path: Path) -> SiteFile:
    """Read a site file's text; `path` is for error messages.

    Raises:
        SiteFileError: something in it is wrong.
    """
    if len(text) > LARGEST:
        raise SiteFileError(path, (TOO_LARGE,))
    read = _read(text)
    if isinstance(read, SiteFile):
        return read
    raise SiteFileError(path, read)  # out here: the libraries' own errors quote the file and must not be its context


def placed(text: str, remarks: Iterable[tuple[Sequence[str | int], str]]) -> list[Mistake]:
    """Give remarks on a file that was read their lines, first lines first.

    Args:
        text: the file's text.
        remarks: the keys that lead to what is spoken of, and a sentence.
    """
    root = _compose(text)
    return [] if isinstance(root, Mistake) else _placed(root, remarks)


def _placed(root: yaml.Node, remarks: Iterable[tuple[Sequence[str | int], str]]) -> list[Mistake]:
    found = [Mistake(_line(root, keys), ".".join(map(str, keys)), what) for keys, what in remarks]
    return sorted(found, key=lambda one: one.line)


def _line(root: yaml.Node, keys: Sequence[str | int]) -> int:
    """Return the line of the innermost key that is written out: defaults and short forms have none of their own."""
    node, line = root, root.start_mark.line + 1
    for key in keys:
        child = _child(node, key)
        if child is None:
            break
        node, line = child
    return line


def _read(text: str) -> SiteFile | tuple[Mistake, ...]:
    root = _compose(text)
    if isinstance(root, Mistake):
        return (root,)
    if mistakes := tuple(_bad_keys(root)):
        return mistakes
    try:
        site = SiteFile.model_validate(_plain(root))
    except ValidationError as error:
        return tuple(_mistake(fault, root) for fault in error.errors(include_url=False))
    return tuple(_placed(root, strangers(site))) or site


def _compose(text: str) -> yaml.Node | Mistake:
    depth = 0
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            line = token.start_mark.line + 1
            if isinstance(token, yaml.AliasToken | yaml.AnchorToken | yaml.TagToken):
                return Mistake(line, "", "anchors, aliases and tags (&, *, !) are not taken: write it out or in quotes")
            depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
            if depth > DEEPEST:
                return Mistake(line, "", "nested too deeply")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return Mistake(line, "", f"not valid YAML: character U+{int(error.character):04X} can't stand in a text")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or "it can't be read"
        return Mistake(mark.line + 1 if mark else 1, "", f"not valid YAML: {what}")
    if not isinstance(root, yaml.MappingNode):
        return Mistake(1, "", "expected a mapping; the least is\n  cameras:\n    gate: rtsp://HOST/...")
    return root


def _bad_keys(node: yaml.Node, where: str = "") -> Iterator[Mistake]:
    """Yield keys that stand twice (YAML would keep the last and drop the others) and keys that are no words."""
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                yield Mistake(line, where, "a key must be a plain word, not a list or a mapping")
                continue
            if key.value in seen:
                yield Mistake(line, where, f"{_shown(key.value)!r} stands twice, first in line {seen[key.value]}")
            seen.setdefault(key.value, line)
            yield from _bad_keys(value, f"{where}.{_shown(key.value)}".lstrip("."))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _bad_keys(value, f"{where}.{index}".lstrip("."))


_TIMES: Final = frozenset({"from", "to", "start", "end"})
_RESOLVED: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float", "null"))


def _plain(node: yaml.Node) -> Any:
    """Return plain values.

    Times stay text: YAML 1.1 reads 12:30 as a number in base 60, and the 7 of ``from: 7`` would be seven seconds past
    midnight. So do dates, and all else that is no number, truth value or null.
    """
    if isinstance(node, yaml.MappingNode):
        return {
            key.value: value.value if key.value in _TIMES and isinstance(value, yaml.ScalarNode) else _plain(value)
            for key, value in node.value
        }
    if isinstance(node, yaml.SequenceNode):
        return [_plain(value) for value in node.value]
    if node.tag not in _RESOLVED or ":" in node.value:
        return node.value
    try:
        return yaml.SafeLoader("").construct_object(node)
    except ValueError:  # what looks like a number and is none, such as 0x_
        return node.value


_SECRETIVE: Final = frozenset(
    {"source", "url", "url_env", "user", "password", "password_env", "secret", "secret_env", "previous_secret_env"}
)
"""Values of these keys may hold a credential, so a mistake never quotes them."""
_MENDS: Final = {
    "extra_forbidden": "unknown key; see docs/site.md for what can stand here",
    "missing": "is missing",
    "string_type": "should be text; write it in quotes",
    "dict_type": "should be a mapping of keys to values",
    "model_type": "should be a mapping of keys to values",
    "tuple_type": "should be a list",
}
"""Kinds of mistakes said in the file's words; none of them quotes what stands there, which may be a whole URL."""


def _shown(key: str) -> str:
    """Return a key as a mistake may name it: a URL that was written as a key may hold a credential."""
    return key if re.fullmatch(r"[\w .-]{1,63}", key) else "(key)"


def _mistake(fault: Any, root: yaml.Node) -> Mistake:
    node, line, path = root, root.start_mark.line + 1, []
    for part in fault["loc"]:
        child = _child(node, part)
        if child is None:
            if isinstance(part, str) and part != "[key]":
                path.append(_shown(part))
            break
        node, line = child
        path.append(_shown(str(part)))
    return Mistake(line, ".".join(path), _what(fault, path))


def _what(fault: Any, path: list[str]) -> str:
    kind, quoted = fault["type"], fault.get("input")
    if fault["loc"][-1] == "[key]" and kind == "string_pattern_mismatch":
        return "an id has a-z, 0-9, - and _, begins with a letter or digit and is at most 63 long"
    if kind in _MENDS:
        return _MENDS[kind]
    what: str = fault["msg"].removeprefix("Value error, ")
    if kind.startswith("time_"):
        what = "should be a local time such as 07:00 or 22:30 (midnight is 00:00)"
    quotable = isinstance(quoted, str | int | float | bool) and not _SECRETIVE & set(path)
    return f"{what}, got {quoted!r}" if quotable and kind != "value_error" else what


def _child(node: yaml.Node, part: str | int) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part].start_mark.line + 1
    return None
