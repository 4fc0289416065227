"""``PUT`` and ``DELETE /v1/cameras/{camera}``: cameras are added, changed and taken away while others are watched."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import anyio.to_thread
from fastapi import APIRouter, Header, Request

from service.api import describe, examples
from service.api.bodies import json_content
from service.api.desk import Desk
from service.api.gate import audit_of, caller_of
from service.api.problems import Code, Problem
from service.api.routes.alerts import AtDesk
from service.api.routes.cameras import Camera, no_such_camera
from service.api.watched import ChangedSchema, EntrySchema
from service.cameras.address import SourceError, parse_address
from service.sitefile import CameraEntry
from service.upkeep import Changed, ChangeRefused, SiteUpkeep, Why

MOST_BYTES: Final = 64 * 1024
"""Of a camera's entry: some hundred zones."""
_DEEPEST: Final = 16
"""Lists and objects in each other; an entry needs five."""
_REFUSED: Final[dict[Why, Code]] = {
    "invalid": "SITE_INVALID",
    "changed": "SITE_CHANGED",
    "unwritable": "SITE_UNWRITABLE",
}
_CODES: Final[tuple[Code, ...]] = ("SITE_INVALID", "SITE_CHANGED", "SITE_UNWRITABLE", *describe.WATCHING)
BODY: Final[tuple[Code, ...]] = ("BODY_INVALID", "BODY_TOO_LARGE", "BODY_TIMEOUT", "UNSUPPORTED_MEDIA_TYPE")
ENTRY_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": CameraEntry.model_json_schema(), "example": examples.ENTRY["entry"]}
        },
    }
}

router = APIRouter(tags=["Cameras"])
Version = Annotated[
    str | None, Header(alias="If-Match", description="The version that the change is meant for; any without it.")
]


@router.get(
    "/v1/cameras/{camera}/entry",
    operation_id="get_camera_entry",
    summary="Give what the site file says of a camera",
    responses={200: examples.answer(examples.ENTRY), **describe.problems("CAMERA_NOT_FOUND", *_CODES)},
)
def entry(camera: Camera, desk: AtDesk) -> EntrySchema:
    """Give a camera's entry, without what is the default, and the file's version. It holds no password."""
    site = upkeep_of(desk)
    found = site.entry(camera)
    if found is None:
        raise no_such_camera(camera)
    return EntrySchema(version=site.version, entry=dict(found))


@router.put(
    "/v1/cameras/{camera}",
    operation_id="put_camera",
    summary="Add or change a camera",
    responses={200: examples.answer(examples.CHANGED), **describe.problems(*BODY, *_CODES)},
    openapi_extra=ENTRY_BODY,
)
async def put_camera(camera: Camera, request: Request, desk: AtDesk, version: Version = None) -> ChangedSchema:
    """Write a camera's entry into the site file and watch it so, at once. No other camera notices.

    What is wrong is refused, and everything is watched as before. Comments in the file stay.
    """
    async with audit_of(request).doing(caller_of(request), "camera.put", camera):
        wanted = entry_of_body(await json_content(request, MOST_BYTES))
        refuse_new_variable(desk, camera, wanted)
        return await _change(lambda: upkeep_of(desk).put(camera, wanted, _bare(version)))


@router.delete(
    "/v1/cameras/{camera}",
    operation_id="remove_camera",
    summary="Take a camera away",
    responses={200: examples.answer(examples.CHANGED), **describe.problems("CAMERA_NOT_FOUND", *_CODES)},
)
async def remove_camera(camera: Camera, request: Request, desk: AtDesk, version: Version = None) -> ChangedSchema:
    """Take a camera out of the site file and watch it no more; its open alerts end. What is kept of it stays."""
    async with audit_of(request).doing(caller_of(request), "camera.remove", camera):
        if upkeep_of(desk).entry(camera) is None:
            raise no_such_camera(camera)
        return await _change(lambda: upkeep_of(desk).remove(camera, _bare(version)))


@router.post(
    "/v1/site/reload",
    operation_id="reload_site",
    summary="Read the site file again",
    responses={200: examples.answer(examples.CHANGED), **describe.problems(*_CODES)},
)
async def reload_site(request: Request, desk: AtDesk) -> ChangedSchema:
    """Read the site file again, as SIGHUP does; only cameras that it says otherwise are watched anew.

    A file with a mistake changes nothing. Endpoints and the mode are read at the next start.
    """
    async with audit_of(request).doing(caller_of(request), "site.reload", "site"):
        return await _change(lambda: upkeep_of(desk).reload())


def entry_of_body(content: bytes) -> dict[str, Any]:
    """Return a camera's entry as it was sent.

    Raises:
        Problem: BODY_INVALID.
    """
    try:
        read = json.loads(content)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict) or _is_deep(read, _DEEPEST):
        raise Problem("BODY_INVALID", "Send a camera's entry as a JSON object; the least is its source.")
    return read


def _is_deep(value: Any, most: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return most == 0 or any(_is_deep(one, most - 1) for one in inside)


def refuse_new_variable(desk: Desk, camera: str, wanted: dict[str, Any]) -> None:
    """Refuse a password for a host that the site file has not for it: a key would have a secret sent to any address.

    Raises:
        Problem: SITE_INVALID.
    """
    named = wanted.get("password_env")
    entries = [upkeep_of(desk).entry(report.camera) or {} for report in desk.health.reports()]
    known = [(entry.get("password_env"), _host(entry.get("source"))) for entry in entries]
    if named is not None and (named, _host(wanted.get("source"))) not in known:
        raise Problem(
            "SITE_INVALID",
            f"cameras.{camera[:100]}.password_env: over HTTP a camera gets a password only at a host at which the site "
            "file has it for one already; write another into the file by hand and reload it",
        )


def _host(source: object) -> str | None:
    """Return where a source's login goes; None: nowhere, or it is none that would be opened."""
    try:
        address = parse_address(source) if isinstance(source, str) else None
    except SourceError:
        return None
    return urlsplit(address.url).hostname if address else None


async def _change(make: Callable[[], Changed]) -> ChangedSchema:
    try:
        made = await anyio.to_thread.run_sync(make)
    except ChangeRefused as refused:
        raise refusal(refused) from refused
    return ChangedSchema(
        version=made.version,
        added=list(made.added),
        changed=list(made.changed),
        removed=list(made.removed),
        at_next_start=list(made.later),
    )


def refusal(refused: ChangeRefused) -> Problem:
    """Return a refused change as a problem."""
    return Problem(_REFUSED[refused.why], str(refused))


def upkeep_of(desk: Desk) -> SiteUpkeep:
    """Return what changes the site.

    Raises:
        Problem: SITE_UNWRITABLE, where nothing does.
    """
    if desk.site is None:
        raise Problem("SITE_UNWRITABLE", "This site was not read from a file.")
    return desk.site


def _bare(version: str | None) -> str | None:
    """Return what an entity tag holds."""
    return None if version is None or version.strip() == "*" else version.strip().removeprefix("W/").strip('"')
