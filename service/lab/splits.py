"""Valid is cut once, by scene: ``tune`` chooses, ``report`` is read once a release.

A scene is all pictures of one video, one original, or one motif: cut apart they would let a choice made on ``tune``
know ``report``. Scenes are found by file name and by a difference hash, and joined by eye where both miss it
(``datasets/splits/scenes.toml``). The lists are committed, ``datasets/splits/<card>.jsonl``: names only, no pictures.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from service.lab.dataset.faults import DatasetError
from service.lab.truth import TruthPicture

Part = Literal["tune", "report"]
PARTS: Final[tuple[Part, ...]] = ("tune", "report")
ALIKE: Final = 10
"""Bits of 64 in which the hashes of near-duplicates may differ."""
LARGE: Final = 200.0
"""Pixels, at a longest side of 640, from which a person counts as large."""
_FRAME: Final = re.compile(r"(.+)[_-](?:mp4|mov|avi|m4v|webm)-\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, config={"extra": "forbid"})
class CutPicture:
    """One picture of valid: its file name, sha256, scene (named after one of its pictures) and part."""

    picture: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    scene: str
    part: Part


_ROW = TypeAdapter(CutPicture)
_JOINED = TypeAdapter(dict[str, list[list[str]]])


def read_cut(path: Path) -> list[CutPicture]:
    """Read a committed list, in its order.

    Raises:
        DatasetError: the file can't be read or a row is wrong; names the file and the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(path, f"can't read this list ({error})") from error
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(_ROW.validate_json(line))
        except ValidationError as error:
            what = error.errors(include_url=False)[0]
            raise DatasetError(path, f"not a row of a cut: {what['loc'][-1]}: {what['msg']}", number) from error
    return rows


def write_cut(path: Path, rows: Iterable[CutPicture]) -> None:
    """Write one JSON row a picture; equal rows give equal bytes on every machine."""
    lines = (json.dumps(_ROW.dump_python(row, mode="json"), ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def read_joined(path: Path) -> dict[str, list[list[str]]]:
    """Read what the eye joined: per card, lists of beginnings of file names that are one scene.

    Raises:
        DatasetError: the file can't be read.
    """
    try:
        return _JOINED.validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise DatasetError(path, f"can't read these scenes ({error})") from error


def kept_for_report(path: Path) -> frozenset[str]:
    """Return the pictures that a committed list keeps for the report; none where there is no list.

    Raises:
        DatasetError: see `read_cut`.
    """
    return frozenset(row.picture for row in read_cut(path) if row.part == "report") if path.is_file() else frozenset()


def make_cut(truth: Sequence[TruthPicture], images: Path, joined: Sequence[Sequence[str]] = ()) -> list[CutPicture]:
    """Cut the valid pictures of a truth file into ``tune`` and ``report``, by scene; rows by file name.

    Args:
        truth: the truth's rows; those of test are left alone.
        images: folder with the pictures.
        joined: see `read_joined`.

    Raises:
        DatasetError: a picture is not there, is another one (sha256), or can't be decoded.
    """
    return cut_pictures(truth, {row.picture: images / row.picture for row in truth}, joined)


def cut_pictures(
    truth: Sequence[TruthPicture], places: Mapping[str, Path], joined: Sequence[Sequence[str]] = ()
) -> list[CutPicture]:
    """Cut as `make_cut` does, wherever each of the pictures lies.

    Raises:
        DatasetError: see `make_cut`; or two pictures of valid have one name.
    """
    rows = sorted((row for row in truth if row.split == "valid"), key=lambda row: row.picture)
    for one, other in pairwise(rows):
        if one.picture == other.picture:
            raise DatasetError(places[one.picture], "stands twice in this export under one name")
    named = scenes({row.picture: _hashed(places[row.picture], row.sha256) for row in rows}, joined)
    parts = cut(rows, named)
    return [CutPicture(row.picture, row.sha256, named[row.picture], parts[named[row.picture]]) for row in rows]


def _hashed(path: Path, sha256: str) -> NDArray[np.bool_]:
    """Return the 64 bit difference hash of a picture (Krawetz 2013): is each of 8x8 cells darker than the next?"""
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DatasetError(path, "is not there, or is not the picture that was judged (sha256)")
    grey = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise DatasetError(path, "can't be decoded as a picture")
    small = np.asarray(cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA))
    bits: NDArray[np.bool_] = (small[:, 1:] > small[:, :-1]).ravel()
    return bits


def scenes(hashes: Mapping[str, NDArray[np.bool_]], joined: Sequence[Sequence[str]] = ()) -> dict[str, str]:
    """Return every picture's scene, named after the first of its pictures.

    Two pictures share a scene when their names say so (`stem`), their hashes differ in at most `ALIKE` bits, or
    `joined` lists beginnings of both names together; and so does whatever hangs together by that.
    """
    names = sorted(hashes)
    if not names:
        return {}
    stems = np.array([stem(name) for name in names])
    bits = np.array([hashes[name] for name in names])
    linked = stems[:, None] == stems[None, :]
    more = bits.astype(np.float32) @ (~bits).T.astype(np.float32)  # whole numbers: exact, and small for large sets
    linked |= more + more.T <= ALIKE
    for beginnings in joined:
        together = np.array([name.startswith(tuple(beginnings)) for name in names])
        linked |= together[:, None] & together[None, :]
    _, component = connected_components(csr_array(linked), directed=False)
    first: dict[int, str] = {}
    return {name: first.setdefault(int(of), stem(name)) for name, of in zip(names, component, strict=True)}


def stem(name: str) -> str:
    """Return what pictures of one video, or copies of one original, have in common in their file names."""
    base = Path(name).stem.split(".rf.")[0]
    base = re.sub(r"_(jpe?g|png|webp)$", "", base, flags=re.IGNORECASE)
    frame = _FRAME.fullmatch(base)
    return frame[1] if frame else base


def cut(truth: Sequence[TruthPicture], named: Mapping[str, str]) -> dict[str, Part]:
    """Return every scene's part, so that both parts hold about half of what is counted.

    Balanced are pictures, people with a helmet and with a vest, people without (small and large ones apart), and scenes
    with somebody who lacks one. Large scenes choose first; then single scenes change sides as long as that helps. No
    chance is in it, and no model: equal truth gives an equal cut.

    Args:
        truth: the pictures to cut.
        named: their scenes.
    """
    listed = sorted({named[row.picture] for row in truth})
    held = np.zeros((len(listed), 7))
    for row in truth:
        held[listed.index(named[row.picture])] += _counts(row)
    lacking = np.stack([held[:, [2, 3]].any(axis=1), held[:, [5, 6]].any(axis=1)], axis=1)
    held = np.hstack([held, lacking])
    share = held / np.maximum(held.sum(axis=0), 1)
    side = np.zeros(len(listed))
    for index in sorted(range(len(listed)), key=lambda index: (-share[index].sum(), listed[index])):
        side[index] = min((1.0, -1.0), key=lambda sign: _uneven(side @ share + sign * share[index]))
    while listed:
        flips = [_uneven(side @ share - 2 * side[index] * share[index]) for index in range(len(listed))]
        best = int(np.argmin(flips))
        if flips[best] >= _uneven(side @ share) - 1e-9:
            break
        side[best] = -side[best]
    return {name: "tune" if sign > 0 else "report" for name, sign in zip(listed, side, strict=True)}


def _counts(row: TruthPicture) -> list[int]:
    """Return what one picture adds: itself, worn helmets and vests, missing ones of small and of large people."""
    large = LARGE * max(row.width, row.height) / 640
    tall = [person.box[3] - person.box[1] >= large for person in row.people]
    counted = [1]
    for states in ([person.helmet for person in row.people], [person.vest for person in row.people]):
        counted.append(states.count("worn"))
        lacking = [state == "missing" for state in states]
        counted += [sum(is_so and high == size for is_so, high in zip(lacking, tall, strict=True)) for size in (0, 1)]
    return counted


def _uneven(difference: NDArray[np.float64]) -> float:
    return float((difference**2).sum())
