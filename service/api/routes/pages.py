"""The page that explains the API, with its scripts from an installed package: it needs no internet."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from service.api.headers import policy_of

_SCRIPTS: Final = "/docs-assets"


def add_to(app: FastAPI) -> None:
    """Serve Swagger UI at /docs."""
    assets = Path(str(resources.files("fastapi_offline"))) / "static"
    app.mount(_SCRIPTS, StaticFiles(directory=assets), name="docs-assets")
    page = get_swagger_ui_html(
        openapi_url=app.openapi_url or "/openapi.json",
        title=app.title,
        swagger_js_url=f"{_SCRIPTS}/swagger-ui-bundle.js",
        swagger_css_url=f"{_SCRIPTS}/swagger-ui.css",
        swagger_favicon_url=f"{_SCRIPTS}/favicon.png",
    )
    page.headers["Content-Security-Policy"] = policy_of(bytes(page.body).decode())

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return page
