"""The site file: one YAML that says which cameras watch what, what is asked of people there, and who is told.

Reading it never stops at the first mistake: every one is reported with its line and how to mend it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from service.safety.site import EVERYTHING, AlertPolicy, FrozenModel, Name, Requirement, Scene, Shift, Zone

LARGEST: Final = 2**20
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=128)]
"""Name of an environment variable that holds a secret; the secret itself never stands in the file."""


class ZoneEntry(FrozenModel):
    """A zone in the file; its key is its id. See `safety.site.Zone`."""

    name: str = Field(default="", max_length=100)
    polygon: tuple[tuple[float, float], ...] = Field(
        description="Corners relative to the picture, 0..1: [[x, y], ...]."
    )
    require: tuple[Requirement, ...] = Field(default=EVERYTHING, description="What must be worn: helmet, vest.")
    exempt: bool = Field(default=False, description="People here are tracked, not judged, not counted.")
    ignore: bool = Field(default=False, description="Blacked out before anything looks at the picture.")
    schedule: tuple[Shift, ...] = Field(default=(), description="When it asks for anything; always when empty.")

    @model_validator(mode="after")
    def _is_a_zone(self) -> ZoneEntry:
        self.zone("zone")
        return self

    def zone(self, key: str) -> Zone:
        """Return the zone under its id."""
        return Zone(id=key, **{name: getattr(self, name) for name in type(self).model_fields})


class CameraEntry(FrozenModel):
    """A camera in the file; its key is its id."""

    name: str = Field(default="", max_length=100)
    source: str = Field(
        min_length=1,
        max_length=2048,
        description="rtsp://, http://, /dev/video0, a video file or a folder of pictures.",
    )
    fps: float = Field(default=5.0, gt=0, le=30, description="Frames a second that are judged.")
    user: str | None = Field(default=None, max_length=256)
    password_env: Variable | None = Field(default=None, description="Environment variable that holds the password.")
    zones: dict[Name, ZoneEntry] = Field(default={}, description="Without any, the whole picture asks for both.")
    policy: AlertPolicy | None = Field(default=None, description="Instead of the site's, for this camera.")

    @model_validator(mode="before")
    @classmethod
    def _bare_source(cls, value: object) -> object:
        return {"source": value} if isinstance(value, str) else value

    @field_validator("source")
    @classmethod
    def _no_credentials(cls, source: str) -> str:
        head, separator, rest = source.partition("://")
        if separator and "@" in rest.split("/", 1)[0]:
            raise ValueError(
                f"credentials don't belong into the source: write {head}://HOST/..., user: and password_env:"
            )
        return source


class EndpointEntry(FrozenModel):
    """Somebody who is told; its key is its name."""

    url: str = Field(pattern=r"^https?://", max_length=2048, description="Where webhooks are posted to.")
    secret_env: Variable = Field(description="Environment variable with the whsec_ secret that signs them.")
    lan: bool = Field(default=False, description="The receiver is on this machine or network; plain http is taken.")


class SiteFile(FrozenModel):
    """Everything that a site file says."""

    name: str = Field(default="site", max_length=100)
    time_zone: str = Field(default="UTC", description="IANA name, such as Asia/Seoul: schedules are in it.")
    mode: Literal["alert", "observe"] = Field(
        default="alert", description="observe: everything runs and is recorded, nothing is sent."
    )
    cameras: dict[Name, CameraEntry] = Field(min_length=1)
    policy: AlertPolicy = AlertPolicy()
    endpoints: dict[Name, EndpointEntry] = Field(default={}, max_length=1)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, time_zone: str) -> str:
        try:
            ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{time_zone!r} is no IANA time zone; write one such as Europe/Berlin or UTC") from error
        return time_zone

    def scene(self, camera: str) -> Scene:
        """Return what one camera's monitor needs to know."""
        entry = self.cameras[camera]
        zones = tuple(zone.zone(key) for key, zone in entry.zones.items())
        return Scene(camera=camera, zones=zones, policy=entry.policy or self.policy, time_zone=self.time_zone)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong in a site file: where (line from 1, and the keys that lead there) and what to do."""

    line: int
    where: str
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.where}: {self.what}" if self.where else f"line {self.line}: {self.what}"


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
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SiteFileError(path, (Mistake(1, "", f"can't read it ({error.strerror})"),)) from error
    except UnicodeDecodeError as error:
        raise SiteFileError(path, (Mistake(1, "", "not UTF-8 text"),)) from error
    return parse_site(text, path)


def parse_site(text: str, path: Path) -> SiteFile:
    """Read a site file's text; `path` is for error messages.

    Raises:
        SiteFileError: something in it is wrong.
    """
    if len(text) > LARGEST:
        raise SiteFileError(path, (Mistake(1, "", f"larger than {LARGEST} bytes"),))
    root = _compose(text, path)
    mistakes = tuple(_doubled(root))
    if mistakes:
        raise SiteFileError(path, mistakes)
    try:
        return SiteFile.model_validate(_plain(root))
    except ValidationError as error:
        raise SiteFileError(path, tuple(_mistake(fault, root) for fault in error.errors(include_url=False))) from error


def missing_secrets(site: SiteFile, environment: Mapping[str, str] | None = None) -> list[str]:
    """Return the names of environment variables that the file asks for and that are not set."""
    known = os.environ if environment is None else environment
    wanted = [entry.password_env for entry in site.cameras.values() if entry.password_env]
    wanted += [entry.secret_env for entry in site.endpoints.values()]
    return sorted({name for name in wanted if not known.get(name)})


def _compose(text: str, path: Path) -> yaml.Node:
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if isinstance(token, yaml.AliasToken | yaml.TagToken):
                raise SiteFileError(
                    path,
                    (Mistake(token.start_mark.line + 1, "", "aliases and tags (*, !) are not taken: write it out"),),
                )
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or "not valid YAML"
        raise SiteFileError(path, (Mistake(mark.line + 1 if mark else 1, "", f"not valid YAML: {what}"),)) from error
    if not isinstance(root, yaml.MappingNode):
        raise SiteFileError(
            path, (Mistake(1, "", "expected a mapping; the least is\n  cameras:\n    gate: rtsp://HOST/..."),)
        )
    return root


def _doubled(node: yaml.Node, where: str = "") -> Iterator[Mistake]:
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                yield Mistake(line, where, f"{key.value!r} stands twice, first in line {seen[key.value]}")
            seen.setdefault(key.value, line)
            yield from _doubled(value, f"{where}.{key.value}".lstrip("."))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _doubled(value, f"{where}.{index}".lstrip("."))


def _plain(node: yaml.Node) -> Any:
    """Return plain values; times such as 07:00 stay text (YAML 1.1 would read them as a number in base 60)."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: _plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(value) for value in node.value]
    constructor = yaml.SafeLoader("")
    resolved: str = node.tag
    if resolved == "tag:yaml.org,2002:int" and ":" in node.value:
        return node.value
    value = constructor.construct_object(node)
    return value if isinstance(value, bool | int | float | str) or value is None else node.value


_SECRETIVE: Final = frozenset({"source", "url", "user", "password", "password_env", "secret", "secret_env"})
"""Values of these keys may hold a credential, so a mistake never quotes them."""


def _mistake(fault: Any, root: yaml.Node) -> Mistake:
    node, line, path = root, root.start_mark.line + 1, []
    for part in fault["loc"]:
        child = _child(node, part)
        if child is None:
            if isinstance(part, str) and part != "[key]":
                path.append(part)
            break
        node, line = child
        path.append(str(part))
    what = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        what = "unknown key; see docs/site.md for what can stand here"
    elif fault["type"] == "missing":
        what = "is missing"
    elif not _SECRETIVE & set(path) and isinstance(fault.get("input"), str | int | float | bool):
        what = f"{what}, got {fault['input']!r}"
    return Mistake(line, ".".join(path), what)


def _child(node: yaml.Node, part: str | int) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part].start_mark.line + 1
    return None
