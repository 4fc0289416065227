"""The operator's screen over HTTP: pages, their scripts and styles. It asks the API for all that it shows."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from service.ui.shell import PAGES, POLICY, page
from service.ui.words import wanted

FILES: Final = Path(__file__).parent / "files"
KINDS: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
LANGUAGE: Final = "ppe_language"
THEME: Final = "ppe_theme"
_IMPORT: Final = re.compile(r'^import .*from "\./([\w-]+\.js)";$', re.MULTILINE)
_FOREVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


@cache
def kept() -> dict[str, bytes]:
    """Return the screen's files by their names."""
    return {path.name: path.read_bytes() for path in sorted(FILES.iterdir()) if path.suffix in KINDS}


@cache
def folder() -> str:
    """Return the path of the files: another one as soon as one of them is, so that browsers may keep what they have."""
    whole = hashlib.sha256(b"".join(name.encode() + content for name, content in kept().items()))
    return f"/screen/files/{whole.hexdigest()[:16]}"


@cache
def imported(name: str) -> tuple[str, ...]:
    """Return the scripts that a script imports, and those that they do, without itself."""
    found, waiting = set[str](), [name]
    while waiting:
        told = kept()[waiting.pop()].decode()
        fresh = set(_IMPORT.findall(told)) - found
        found |= fresh
        waiting += fresh
    return tuple(sorted(found - {name}))


def screen(*, watching: bool) -> APIRouter:
    """Return the screen.

    Args:
        watching: cameras are watched: it opens with how they do, else with a picture of one's own.
    """
    router = APIRouter(include_in_schema=False)
    first = "/screen/now" if watching else "/screen/try"

    @router.get("/")
    @router.get("/screen")
    @router.get("/screen/")
    async def opening() -> Response:
        return RedirectResponse(first, 302, {"Cache-Control": "no-store"})

    @router.get("/screen/{name}")
    async def shown(request: Request, name: str) -> Response:
        if name not in PAGES:
            raise HTTPException(404)
        language = wanted(request.cookies.get(LANGUAGE), request.headers.get("accept-language", ""))
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache", "Vary": "Accept-Language, Cookie"}
        theme, modules = request.cookies.get(THEME), imported(f"{name}.js")
        return HTMLResponse(page(name, language, theme, folder(), modules), headers=headers)

    @router.get("/screen/files/{version}/{name}")
    async def file(version: str, name: str) -> Response:
        content = kept().get(name)
        if content is None:
            raise HTTPException(404)
        lasting = _FOREVER if folder().endswith(f"/{version}") else {"Cache-Control": "no-store"}
        return Response(content, media_type=KINDS[Path(name).suffix], headers=lasting)

    return router
