"""The screen's files over HTTP: what pages load, from where, and for how long it is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from service.ui.screen import FILES, folder, imported, kept, screen
from service.ui.shell import PAGES, POLICY
from tests.api.conftest import serving


def app(*, watching: bool) -> FastAPI:
    made = FastAPI()
    made.include_router(screen(watching=watching))
    return made


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(app(watching=True)) as url, httpx.Client(base_url=url) as asking:
        yield asking


@pytest.mark.parametrize(("watching", "first"), [(True, "/screen/now"), (False, "/screen/try")])
def test_it_opens_with_what_there_is(watching: bool, first: str) -> None:
    with serving(app(watching=watching)) as url:
        answer = httpx.get(url)
    assert (answer.status_code, answer.headers["location"]) == (302, first)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_names_every_script_that_it_needs_and_none_elsewhere(client: httpx.Client, name: str) -> None:
    answer = client.get(f"/screen/{name}")
    assert answer.headers["content-security-policy"] == POLICY
    named = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    scripts = [one for one in named if one.endswith((".js", ".css", ".svg"))]
    assert all(one.startswith(f"{folder()}/") for one in scripts)
    assert {one.rpartition("/")[2] for one in scripts} >= {f"{name}.js", "screen.css", *imported(f"{name}.js")}
    assert all(client.get(one).status_code == 200 for one in scripts)
    assert not [one for one in named if not one.startswith("/")]
    assert "style=" not in answer.text


def test_what_scripts_import_is_there() -> None:
    for name, content in kept().items():
        for one in re.findall(r'from "([^"]+)"', content.decode()):
            assert one.startswith("./"), f"{name} imports {one}"
            assert (FILES / one).is_file(), f"{name} imports {one}"


def test_files_are_kept_for_as_long_as_they_are_these(client: httpx.Client) -> None:
    assert "immutable" in client.get(f"{folder()}/screen.css").headers["cache-control"]
    assert client.get("/screen/files/0/screen.css").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/screen/none", "/screen/../etc", "/screen/files/0/..%2Fshell.py", "/screen/files/0/en.yaml"]
)
def test_nothing_else_is_there(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404
