"""What is written down about the HTTP API is what it does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from pydantic import BaseModel

from service.api import examples
from service.api.problems import KINDS, Code
from service.api.watched import AlertHistorySchema, CameraSchema, PageSchema, StatsSchema
from service.safety.equipment import CLASSES
from service.sitefile import CameraEntry
from tests.api.made_pictures import Scene

ROOT = Path(__file__).parent.parent.parent
PROBLEM = "application/problem+json"
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
OF_THE_SITE_FILE = {"CameraEntry", *CameraEntry.model_json_schema()["$defs"]}
"""Shapes whose fields docs/site.md names; tests/cli/test_site.py sees to that."""


@pytest.fixture(scope="module")
def document(client: httpx.Client) -> dict[str, Any]:
    return client.get("/openapi.json").json()


def test_openapi(document: dict[str, Any], golden: Callable[[str, Any], None]) -> None:
    golden("openapi.json", {**document, "info": {**document["info"], "version": "0"}})


def test_docs_page(client: httpx.Client) -> None:
    response = client.get("/docs")
    assert response.status_code == 200
    assert "/openapi.json" in response.text


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def test_every_reference_of_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    names = {reference.removeprefix("#/components/schemas/") for reference in _references(document)}
    assert names <= set(document["components"]["schemas"])
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert [name for name in document["components"]["schemas"] if "__" in name] == []  # two shapes of one name


def test_uploads_are_typed_as_files(document: dict[str, Any]) -> None:
    body = document["paths"]["/v1/detect"]["post"]["requestBody"]["content"]
    fields = body["multipart/form-data"]["schema"]["properties"]
    assert (fields["image"]["type"], fields["image"]["format"]) == ("string", "binary")
    assert fields["images"]["items"] == {"type": "string", "format": "binary"}
    assert body["image/jpeg"]["schema"] == {"type": "string", "format": "binary"}


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        yield from methods.values()


def test_every_operation_has_a_group_and_a_name_of_its_own(document: dict[str, Any]) -> None:
    groups = {tag["name"] for tag in document["tags"]}
    assert all(tag["description"] for tag in document["tags"])
    assert {tag for operation in operations(document) for tag in operation["tags"]} == groups
    assert all(len(operation["tags"]) == 1 for operation in operations(document))
    names = [operation["operationId"] for operation in operations(document)]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)*", name)] == []


def test_every_problem_is_documented_under_its_status(document: dict[str, Any]) -> None:
    assert set(KINDS) == set(get_args(Code))
    documented = set()
    for operation in operations(document):
        for status, response in operation["responses"].items():
            for code, example in response.get("content", {}).get(PROBLEM, {}).get("examples", {}).items():
                assert (example["value"]["code"], example["value"]["status"]) == (code, KINDS[code].status)
                assert status == str(KINDS[code].status)
                documented.add(code)
    assert documented == set(KINDS) - {"NOT_FOUND"}


SHAPES = [
    (PageSchema, examples.PAGE),
    (AlertHistorySchema, examples.HISTORY),
    (CameraSchema, examples.CAMERA),
    (StatsSchema, examples.STATS),
]


@pytest.mark.parametrize(("shape", "example"), SHAPES, ids=lambda value: getattr(value, "__name__", ""))
def test_examples_are_answers(shape: type[BaseModel], example: dict[str, Any]) -> None:
    assert shape.model_validate(example).model_dump(mode="json") == example


def test_every_answer_has_an_example(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            answer = operation["responses"]["200"].get("content", {}).get("application/json")
            if path.startswith("/v1/") and answer:
                assert "example" in answer or "examples" in answer


@pytest.mark.parametrize("code", KINDS)
def test_the_page_lists_the_problem(code: Code) -> None:
    assert re.search(rf"^\| `{code}` \| {KINDS[code].status} \| .+ \| .+ \|$", PAGE, re.MULTILINE)


def test_the_page_lists_nothing_that_is_gone() -> None:
    assert set(re.findall(r"^\| `([A-Z_]+)` \| \d{3} \|", PAGE, re.MULTILINE)) == set(KINDS)


def test_the_page_names_every_field_and_parameter(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert set(schemas) >= OF_THE_SITE_FILE
    named_here = [schema for shape, schema in schemas.items() if shape not in OF_THE_SITE_FILE]
    fields = {name for schema in named_here for name in schema.get("properties", {})}
    for operation in operations(document):
        fields |= {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"}
    assert sorted(name for name in fields - set(CLASSES) if f"`{name}`" not in PAGE) == []


SAMPLES = {"detect.sh": ["sh"], "detect.py": [sys.executable], "detect.mjs": ["node"]}


@pytest.mark.parametrize("sample", SAMPLES)
def test_samples_run(address: str, tmp_path: Path, sample: str) -> None:
    needed = "curl" if sample == "detect.sh" else SAMPLES[sample][0]
    if shutil.which(needed) is None:
        pytest.skip(f"needs {needed}, which is not there")
    pictures = [tmp_path / "gate one.jpg", tmp_path / "two.png"]
    pictures[0].write_bytes(Scene().encoded())
    pictures[1].write_bytes(Scene(left=400).encoded("PNG"))
    command = [*SAMPLES[sample], str(ROOT / "docs" / "samples" / sample), *map(str, pictures)]
    ran = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "PPE_URL": address}
    )
    assert ran.returncode == 0, ran.stderr
    for picture in pictures:
        assert picture.name in ran.stdout
    assert "worn" in ran.stdout


def test_the_docs_page_needs_no_internet(client: httpx.Client) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert "https://" not in page.text
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        assert f"/docs-assets/{asset}" in page.text
        assert client.get(f"/docs-assets/{asset}").status_code == 200
    assert client.get("/docs-assets/../app.py").status_code == 404
