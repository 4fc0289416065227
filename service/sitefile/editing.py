"""A site file's text is changed in one place, and stays as its author wrote it everywhere else, comments included."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from service.sitefile.cameras import CameraEntry


def with_camera(text: str, camera: str, entry: Mapping[str, Any] | None) -> str:
    """Return a site file's text with a camera added, changed or, with None, taken away.

    Of a camera that is there, what stays the same keeps its place, form and comments.

    Args:
        text: a site file that can be read.
        camera: its id.
        entry: what stands under it, as plain JSON values.
    """
    editor = YAML()
    editor.preserve_quotes = True
    editor.width = 4096  # nothing is wrapped that was not
    editor.indent(mapping=2, sequence=4, offset=2)
    root = editor.load(text)
    cameras = root["cameras"]
    key = _key_of(cameras, camera)
    there = cameras.get(key)
    if entry is None:
        cameras.pop(key, None)
    elif isinstance(there, Mapping):
        _merge(there, entry)
    elif there != entry.get("source") or len(entry) > 1:
        cameras[key] = _writable(entry)
    written = io.StringIO()
    editor.dump(root, written)
    return written.getvalue()


def entry_of(camera: CameraEntry) -> dict[str, Any]:
    """Return what a site file says of a camera: plain JSON values, without what is the default."""
    said: dict[str, Any] = camera.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    for zone in said.get("zones", {}).values():
        for shift in zone.get("schedule", ()):
            shift.update({side: shift[side].removesuffix(":00") for side in ("from", "to") if side in shift})
    return said


def _key_of(there: Mapping[Any, Any], name: str) -> Any:
    """Return the key that stands for a name: the site file takes `1:` for a name, YAML for a number."""
    return next((key for key in there if str(key) == name), name)


def _merge(there: Any, wanted: Mapping[str, Any]) -> None:
    for key in [key for key in there if str(key) not in wanted]:
        del there[key]
    for name, value in wanted.items():
        key = _key_of(there, name)
        if isinstance(there.get(key), Mapping) and isinstance(value, Mapping):
            _merge(there[key], value)
        elif key not in there or there[key] != value:
            there[key] = _writable(value)


def _writable(value: Any) -> Any:
    """Return plain values as they are written: text that YAML 1.1 would read as something else is put into quotes."""
    if isinstance(value, Mapping):
        return {key: _writable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        written = CommentedSeq(_writable(one) for one in value)
        if not any(isinstance(one, Mapping) for one in value):  # corners, days, equipment: in one line
            written.fa.set_flow_style()
        return written
    if isinstance(value, str) and not _is_plain(value):
        return DoubleQuotedScalarString(value)
    return value


def _is_plain(text: str) -> bool:
    try:
        return bool(yaml.safe_load(text) == text)
    except yaml.YAMLError:
        return False
