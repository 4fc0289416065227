"""The HTTP application: routes, limits and problems around one detector."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import anyio.to_thread
import numpy as np
import structlog
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount

from service.api import describe
from service.api.desk import Desk
from service.api.gate import Access, named_early, needs
from service.api.judging import Judge
from service.api.limits import RequestLimits
from service.api.memory import keep_freed_memory
from service.api.problems import Problem, words
from service.api.routes import (
    alerts,
    cameras,
    deepstack,
    detect,
    events,
    evidence,
    health,
    keys,
    marks,
    messages,
    metrics,
    pages,
    roboflow,
    seen,
    session,
    site,
    stats,
    trial,
    what_if,
    zones,
)
from service.api.stream import Listeners
from service.api.turns import Turns, take_turn
from service.api.uploads import UploadLimits
from service.keys import Scope
from service.metrics import Metrics
from service.pictures.decode import PictureLimits
from service.ports import Detector, StoreUnavailable

_DETECTING: Final = (
    (detect.router, needs("detect")),
    (deepstack.router, named_early),  # their clients may name their key in the body
    (roboflow.router, named_early),
)
_STRANGERS: Final = 2
_TRYING: Final = 2
"""Cameras that are tried at once, and that wait for those."""
_COMPARING: Final = 4
"""Comparisons that wait for one that is worked out; who does not want its answer any more ends it."""
_METHODS: Final = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
_NEEDS: Final[tuple[tuple[APIRouter, Scope], ...]] = (
    (alerts.router, "read"),
    (evidence.router, "read"),
    (marks.router, "operate"),
    (cameras.router, "read"),
    (zones.router, "read"),
    (seen.router, "read"),
    (stats.router, "read"),
    (events.router, "read"),
    (metrics.router, "read"),
    (messages.router, "read"),
    (messages.operating, "operate"),
    (keys.router, "admin"),
)

log = structlog.stdlib.get_logger("service.api")


class Api(FastAPI):
    """FastAPI, with problems in its OpenAPI document."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        if not self.openapi_schema:
            self.openapi_schema = describe.completed(super().openapi())
        return self.openapi_schema


@dataclass(frozen=True, slots=True)
class Load:
    """What requests may cost.

    Attributes:
        body_bytes: largest request body.
        body_seconds: longest that the service waits for a body; every 16 KiB that came buy a second.
        images: most pictures in one request.
        at_once, queue: requests for detections in work, and waiting for those.
        listeners: clients that listen to events at once.
    """

    body_bytes: int = 100 * 2**20
    body_seconds: float = 30.0
    images: int = 32
    at_once: int = 16
    queue: int = 32
    listeners: int = 32


def build_app(
    detector: Detector,
    limits: PictureLimits,
    load: Load,
    access: Access,
    watched: Desk | None = None,
    metrics: Metrics | None = None,
    fault: Callable[[], str] = lambda: "",
) -> FastAPI:
    """Build the application. It warms the detector up when it starts and closes it when it shuts down.

    Args:
        detector: what looks at the pictures.
        limits: what one picture may cost.
        load: what requests may cost.
        access: who may ask.
        watched: what is asked about watched cameras; without it those routes answer NOT_WATCHING.
        metrics: the instruments that others use as well; without them, new ones.
        fault: says what was wrong at the detector's last self-test; "" when nothing was.
    """
    counted = metrics or Metrics()
    app = Api(
        title="PPE safety monitor",
        version=describe.version(),
        description=describe.ABOUT,
        openapi_tags=describe.TAGS,
        license_info={"name": "AGPL-3.0-only", "identifier": "AGPL-3.0-only"},
        lifespan=_lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    pages.add_to(app)
    app.state.metrics = counted
    app.state.judge = Judge(detector, limits, counted)
    app.state.upload_limits = UploadLimits(limits.bytes, load.images)
    app.state.turns = Turns(load.at_once, load.queue)
    app.state.turns_of_strangers = Turns(_STRANGERS, load.queue)
    app.state.comparing = Turns(1, _COMPARING)
    app.state.trying = Turns(_TRYING, _TRYING)
    app.state.listeners = Listeners(load.listeners)
    app.state.detector = detector
    app.state.ready = False
    app.state.fault = fault
    app.state.desk = watched
    app.state.access = access
    app.include_router(health.router)
    app.include_router(session.router)
    for router, named in _DETECTING:
        # the turn ends with the answer, however slowly that is then read
        app.include_router(router, dependencies=[Depends(named), Depends(take_turn, scope="function")])
    clean = [Depends(needs("admin", where_keyed=True))]
    app.include_router(evidence.clean_router, dependencies=clean)  # first: its path is one of evidence.router's as well
    for router in (site.router, trial.router, what_if.router):
        app.include_router(router, dependencies=[Depends(needs("admin", where_keyed=True))])
    for router, scope in _NEEDS:
        app.include_router(router, dependencies=[Depends(needs(scope))])
    app.add_middleware(
        RequestLimits,
        max_body_bytes=load.body_bytes,
        body_seconds=load.body_seconds,
        hosts=access.hosts,
        metrics=counted,
    )
    app.add_exception_handler(HTTPException, _refuse_request)
    app.add_exception_handler(RequestValidationError, _refuse_parameters)
    app.add_exception_handler(StoreUnavailable, _refuse_for_the_store)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    detector: Detector = app.state.detector
    keep_freed_memory()
    try:
        blank = np.zeros((384, 640, 3), dtype=np.uint8)
        await asyncio.wrap_future(detector.submit(blank))  # compiles the model, so that nobody's first picture waits
        app.state.ready = True
        log.info("ready", model=detector.model.name, version=detector.model.version)
        yield
    finally:
        app.state.ready = False
        await anyio.to_thread.run_sync(app.state.access.audit.close)
        await anyio.to_thread.run_sync(detector.close)


async def _refuse_request(request: Request, error: Exception) -> NoReturn:
    """Put a problem in the place of the framework's own refusal."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    path = request.url.path[:100]
    if status == 404:
        raise Problem(
            "NOT_FOUND", f"There is nothing at {path}: POST /v1/detect judges pictures, /docs lists all paths."
        )
    if status == 405:
        allowed = ", ".join(_methods(request))
        raise Problem(
            "METHOD_NOT_ALLOWED",
            f"{path} takes {allowed}, not {request.method[:20]}.",
            headers={"Allow": allowed},
        )
    raise error


def _methods(request: Request) -> list[str]:
    """Return what a path takes, over all its routes: the framework names the methods of one of them."""
    routes = [route for route in request.app.routes if not isinstance(route, Mount)]
    asked = ((method, {**request.scope, "method": method}) for method in _METHODS)
    taken = [method for method, scope in asked if any(route.matches(scope)[0] is Match.FULL for route in routes)]
    return taken or ["GET", "HEAD"]  # files of the page that explains the API


async def _refuse_parameters(request: Request, error: Exception) -> NoReturn:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    raise Problem("PARAMETER_INVALID", words(found, _parameters(request)))


def _parameters(request: Request) -> list[str]:
    """Return the names of the query parameters that the request's route takes."""
    dependant = getattr(request.scope.get("route"), "dependant", None)
    models = [parameter.field_info.annotation for parameter in dependant.query_params] if dependant else []
    return [field.alias or name for model in models for name, field in getattr(model, "model_fields", {}).items()]


async def _refuse_for_the_store(_: Request, error: Exception) -> NoReturn:
    log.error("store.unavailable", fault=str(error))  # it names folders, which are nobody's business
    raise Problem("STORE_UNAVAILABLE", "The store can't be read or written now; the service's log tells why.")
