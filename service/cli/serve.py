"""``ppe serve``: answer over HTTP, and watch a site's cameras beside, until told to stop."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from service.cli.opening import detector_for, secrets_of, settings_for
from service.cli.self_test import testing
from service.cli.terminal import out, refuse, say
from service.cli.watch import refuse_unready, reload_on_hangup, site_from, what_is_watched

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

    from service.api.gate import Access
    from service.metrics import Metrics
    from service.ports import Detector
    from service.settings import Settings
    from service.sitefile import SiteFile
    from service.wiring import Running

EXAMPLES = """
**Examples**

`ppe serve`

`ppe serve --port 9000`

`ppe serve --site site.yaml`

`PPE_LOG_FORMAT=json ppe serve`

**Exit codes**: 0 stopped by SIGTERM or Ctrl-C after the requests in work were answered and the cameras' alerts were
recorded, 2 could not start.
"""

KEEP_ALIVE_SECONDS: Final = 30
"""An idle connection is kept this long: longer than a camera that posts a picture every few seconds waits."""
DRAIN_SECONDS: Final = 30
"""Requests in work get this long to end once the service is told to stop."""


def serve(
    ctx: typer.Context,
    host: Annotated[
        str | None,
        typer.Option(
            "--host", help="Address to listen on; beyond loopback it needs an API key.", show_default="127.0.0.1"
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", help="Port to listen on; 0 takes a free one.", show_default="8000")
    ] = None,
    site: Annotated[
        Path | None, typer.Option("--site", help="Watch the cameras of this site file too.", show_default=False)
    ] = None,
) -> None:
    """Answer over HTTP: who on a picture lacks a helmet or a vest. With --site, watch cameras and raise alerts too."""
    settings = settings_for(host=host, port=port)
    watched = site_from(site) if site else None
    if watched:
        refuse_unready(watched)

    from service.admission import refuse_exposed
    from service.detectors.lent import lent
    from service.metrics import Metrics
    from service.telemetry import configure_logging
    from service.wiring import WiringError, open_app

    secrets = [*_admin_key(settings), *(secrets_of(watched) if watched else ())]
    configure_logging(settings.log_level, settings.log_format, secrets, requests=settings.log_requests)
    try:
        refuse_exposed(settings)
    except WiringError as error:
        refuse(str(error))
    with _listener(settings.host, settings.port) as listener:  # before the weights: a taken port is told at once
        metrics = Metrics()
        detector = detector_for(ctx, settings, metrics=metrics)
        for ending in (signal.SIGTERM, signal.SIGINT):
            signal.signal(ending, lambda *_: sys.exit(0))  # uvicorn drains on both, then raises the signal again
        try:
            with (
                testing(settings, detector) as fault,
                _watching(watched, site, settings, detector, metrics) as running,
                _admitting(settings, running) as access,
            ):
                app = open_app(settings, lent(detector), access, running and running.desk, metrics, fault)
                _server(app, settings, listener.getsockname()[1]).run(sockets=[listener])
        finally:
            detector.close()


@contextmanager
def _watching(
    site: SiteFile | None, path: Path | None, settings: Settings, detector: Detector, metrics: Metrics
) -> Iterator[Running | None]:
    """Watch a site's cameras, if there is one, until what is inside ends; then let them end as well."""
    if site is None:
        yield None
        return
    from service.wiring import WiringError, watching

    try:
        with watching(site, settings, detector, path, metrics=metrics) as running:
            reload_on_hangup(running)
            say(f"Watching {what_is_watched(site)}.")
            yield running
    except WiringError as error:
        refuse(str(error))


@contextmanager
def _admitting(settings: Settings, running: Running | None) -> Iterator[Access]:
    """Decide who may ask; say so where that is everybody."""
    from service.admission import admission
    from service.wiring import WiringError

    try:
        with admission(settings, running.keys if running else None) as access:
            yield access
    except WiringError as error:
        refuse(str(error))


def _admin_key(settings: Settings) -> list[str]:
    """Return the key of PPE_ADMIN_KEY_FILE, if one is named, for the log lines that may not hold it."""
    from service.admission import admin_token
    from service.wiring import WiringError

    try:
        return [admin_token(settings) or ""]
    except WiringError as error:
        refuse(str(error))


def _listener(host: str, port: int) -> socket.socket:
    """Take the port."""
    address = "127.0.0.1" if host == "localhost" else host
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, or asyncio leaves Nagle on
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
        listener.listen(socket.SOMAXCONN)
    except OSError as error:
        listener.close()
        refuse(f"{host} port {port} can't be listened on ({error.strerror}); choose another with --port or PPE_PORT")
    return listener


def _server(app: FastAPI, settings: Settings, port: int) -> uvicorn.Server:
    """Return a server that says where it listens once it takes requests."""
    import uvicorn

    from service.api.heads import PromptHeads

    host = settings.host

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            out().print(
                f"Listening on {url} (Ctrl-C stops it, {url}/docs explains it). "
                f"Try: curl -F image=@photo.jpg {url}/v1/detect",
                markup=False,
                soft_wrap=True,
            )

    config = uvicorn.Config(
        app,
        http=PromptHeads,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    return Announcing(config)
