"""Browsers for the tests of the screen: chromium by playwright; each request that would leave is noted."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from service.keys import Role, Scope
from tests.cameras.http_camera import Camera, http_camera
from tests.cli.workers import run
from tests.e2e.commands import eventually, ppe
from tests.e2e.drawn import Worker, filmed, with_workers, yard

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PASSWORD = "a yard without cranes"
"""Of the users that a site is served with."""
CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
DRAWN = """
from service.cli import app
from service.detectors.fake import FakeDetector
from tests.e2e.drawn import found
app(obj=lambda settings: FakeDetector(found))
"""
"""`ppe` with a detector that sees drawn workers."""


def needs_a_browser() -> None:
    """Skip where there is none."""
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("needs playwright, which is not installed")
    if shutil.which(CHROMIUM) is None:
        pytest.skip(f"needs {CHROMIUM}, which is not there")


@contextmanager
def browsing() -> Iterator[Browser]:
    """Start a browser."""
    needs_a_browser()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        try:
            yield browser
        finally:
            browser.close()


class Seen:
    """What a page asked for and complained of."""

    def __init__(self, page: Page) -> None:
        self.asked = 0
        self.left: list[str] = []
        self.faults: list[str] = []
        page.on("request", lambda request: self._asked(request.url))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda message: self._said(message.type, message.text))

    def _asked(self, url: str) -> None:
        self.asked += 1
        parts = urlsplit(url)
        if parts.scheme not in {"blob", "data"} and parts.hostname != "127.0.0.1":
            self.left.append(url)

    def _said(self, kind: str, text: str) -> None:
        if kind == "error" and "Content Security Policy" in text:
            self.faults.append(text)


@contextmanager
def opened(browser: Browser, **options: object) -> Iterator[Page]:
    """Open a page in a browser profile of its own; at its end nothing may have left the machine, nor have failed."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    page = context.new_page()
    seen = Seen(page)
    try:
        yield page
    finally:
        context.close()
    assert seen.asked
    assert seen.left == []
    assert seen.faults == []


def address_of(process: subprocess.Popen[str]) -> str:
    """Wait until `ppe serve` listens, and return where."""
    assert process.stdout
    found: list[str] = []

    def told() -> bool:
        assert process.stdout
        match = re.search(r"Listening on (http://127\.0\.0\.1:\d+) ", process.stdout.readline())
        found.extend([match[1]] if match else [])
        return bool(found)

    assert eventually(told)
    return found[0]


@dataclass
class Site:
    """A service that watches drawn yards.

    Attributes:
        url: where it listens.
        file: its site file.
        cameras: what films the yards, by the cameras' ids; `show` changes what they see.
        keys: a key of each scope; none where it is open.
        pid: of the service.
    """

    url: str
    file: Path
    cameras: dict[str, Camera]
    keys: dict[str, str]
    pid: int
    filming: dict[str, ExitStack] = field(default_factory=dict)

    def show(self, camera: str, *workers: Worker) -> None:
        """Have a camera see workers."""
        self.cameras[camera].parts = filmed(with_workers(yard(), *workers))

    def kill(self, camera: str) -> None:
        """Turn a camera off for good."""
        self.filming[camera].close()

    def enter(self, page: Page, scope: Scope) -> None:
        """Sign in with the key of a scope."""
        page.goto(f"{self.url}/screen/signin")
        page.fill("#key", self.keys[scope])
        page.click("form button")
        page.wait_for_url("**/screen/now")


@contextmanager
def watched_site(
    folder: Path, *names: str, keyed: bool = True, zones: str = "", users: Mapping[str, Role] = MappingProxyType({})
) -> Iterator[Site]:
    """Serve and watch cameras that see an empty yard.

    Args:
        folder: where site file and store are put.
        names: of the cameras; their ids are these in small letters.
        keyed: API keys are needed.
        zones: YAML lines of the cameras' zones, indented by four.
        users: who may sign in by `PASSWORD`, and as what.
    """
    store, file = folder / "store", folder / "site.yaml"
    scopes: tuple[Scope, ...] = ("read", "operate", "admin") if keyed else ()
    keys: dict[str, str] = {
        scope: run("key", "create", f"{scope} key", "--scope", scope, PPE_STORE=str(store)).stdout.strip()
        for scope in scopes
    }
    for name, role in users.items():
        said = ("user", "create", name, "--role", role, "--password-file", "-")
        run(*said, typed=PASSWORD, PPE_STORE=str(store))
    with ExitStack() as all_of_it:
        filming = {name.lower(): all_of_it.enter_context(ExitStack()) for name in names}
        cameras = {
            name: stack.enter_context(http_camera(Camera(parts=filmed(yard()), every=0.1)))
            for name, stack in filming.items()
        }
        lines = [
            f"  {name.lower()}:\n    name: {name}\n    source: {cameras[name.lower()].url}\n{zones}" for name in names
        ]
        file.write_text("name: Test site\ncameras:\n" + "".join(lines), encoding="utf-8")
        command = ppe(store, "serve", "--port", 0, "--site", file, script=DRAWN, PPE_LOG_REQUESTS="false")
        process = all_of_it.enter_context(command)
        yield Site(address_of(process), file, cameras, keys, process.pid, filming)
