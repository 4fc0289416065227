"""What the HTTP tests share: a real server on a free port, and golden files.

The golden files in tests/golden are written anew by ``pytest tests/api --update-golden``; look at the difference
before it is committed.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from service.api.app import Load, build_app
from service.api.audit import Audit
from service.api.desk import Desk
from service.api.gate import Access
from service.api.heads import PromptHeads
from service.api.rates import Rates
from service.detectors.fake import FakeDetector
from service.metrics import Metrics
from service.pictures.decode import PictureLimits
from service.ports import Detector
from tests.api.made_pictures import see
from tests.store.made import START_MS, HeldClock

if TYPE_CHECKING:
    from tests.api.watched import Made

GOLDEN = Path(__file__).parent.parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write tests/golden anew (name tests/api too)")


@pytest.fixture
def golden(pytestconfig: pytest.Config) -> Callable[[str, Any], None]:
    """Compare a JSON value with a golden file, or write the file."""

    def compare(name: str, value: Any) -> None:
        path = GOLDEN / name
        if pytestconfig.getoption("--update-golden", default=False):
            path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        assert value == json.loads(path.read_text(encoding="utf-8"))

    return compare


def build(
    detector: Detector,
    watched: Desk | None = None,
    access: Access | None = None,
    metrics: Metrics | None = None,
    **load: float,
) -> FastAPI:
    """Build the application with the service's own limits, but for those that are named; it is open to everybody."""
    clock = HeldClock(START_MS)
    access = access or Access(None, None, Rates(0, clock), Audit(None, clock))
    return build_app(detector, PictureLimits(), Load(**load), access, watched, metrics)  # type: ignore[arg-type]


@contextlib.contextmanager
def serving(app: FastAPI, http: type[PromptHeads] = PromptHeads) -> Iterator[str]:
    """Serve an application on a free port, with the service's own protocol; gives the server's address.

    The socket listens before the server runs, so whoever connects early waits in its queue and nobody has to poll.
    """
    # asyncio turns Nagle's delay (40 ms an answer) off only on sockets that name their protocol.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        server = uvicorn.Server(uvicorn.Config(app, http=http, log_config=None, timeout_graceful_shutdown=5))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The address of a server whose detector reads made pictures."""
    with serving(build(FakeDetector(see))) as url:
        yield url


@pytest.fixture(scope="session")
def client(address: str) -> Iterator[httpx.Client]:
    """A client of that server."""
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.fixture
def made() -> Made:
    """Alerts and cameras of a service that watches."""
    from tests.api.watched import Made

    return Made()


@pytest.fixture
def desk(made: Made) -> Iterator[httpx.Client]:
    """A client of a service that watches them."""
    from tests.api.watched import asked

    with asked(made) as (client, _):
        yield client
