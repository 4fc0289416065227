"""Bad pictures, bad bodies and bad parameters: each ends with its own status and code, and none with a 5xx."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import httpx
import psutil
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from service.api.problems import KINDS, urn
from tests.api.made_pictures import Scene, animated, claims_size, encode, png, png_flood, text_bomb

GOOD = Scene().encoded()
CLOSING = {"connection": "close"}


def refusal(response: httpx.Response) -> str:
    """Check that a response is a whole problem; return its code."""
    problem = response.json()
    code = problem["code"]
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-request-id"] == problem["request_id"]
    assert response.status_code == problem["status"] == KINDS[code].status
    assert (problem["type"], problem["title"]) == (urn(code), KINDS[code].title)
    assert problem["detail"]
    return str(code)


def cut(content: bytes, share: float = 0.6) -> bytes:
    return content[: int(len(content) * share)]


SVG = b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg"/>'
PICTURES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "empty": ("EMPTY_FILE", lambda: b""),
    "two bytes": ("UNSUPPORTED_IMAGE", lambda: b"\xff\xd8"),
    "truncated JPEG": ("IMAGE_UNREADABLE", lambda: cut(GOOD)),
    "truncated PNG": ("IMAGE_UNREADABLE", lambda: cut(Scene().encoded("PNG"))),
    "truncated WebP": ("IMAGE_UNREADABLE", lambda: cut(Scene().encoded("WEBP"))),
    "truncated BMP": ("IMAGE_UNREADABLE", lambda: cut(Scene().encoded("BMP"))),
    "truncated TIFF": ("IMAGE_UNREADABLE", lambda: cut(Scene().encoded("TIFF"))),
    "JPEG header only": ("IMAGE_UNREADABLE", lambda: GOOD[:30]),
    "text": ("UNSUPPORTED_IMAGE", lambda: b"a helmet, trust me"),
    "PDF": ("UNSUPPORTED_IMAGE", lambda: encode(Scene().pillow(), "PDF")),
    "SVG": ("UNSUPPORTED_IMAGE", lambda: SVG),
    "HTML": ("UNSUPPORTED_IMAGE", lambda: b"<!doctype html><img src=x>"),
    "ZIP": ("UNSUPPORTED_IMAGE", lambda: b"PK\x03\x04" + bytes(100)),
    "GIF": ("UNSUPPORTED_IMAGE", lambda: encode(Scene().pillow(), "GIF")),
    "PPM": ("UNSUPPORTED_IMAGE", lambda: encode(Scene().pillow(), "PPM")),
    "animated GIF": ("UNSUPPORTED_IMAGE", lambda: animated("GIF")),
    "animated WebP": ("UNSUPPORTED_IMAGE", lambda: animated("WEBP")),
    "animated PNG": ("UNSUPPORTED_IMAGE", lambda: animated("PNG")),
    "PNG flood 20000x20000": ("IMAGE_TOO_LARGE", lambda: png_flood(20_000)),
    "PNG that claims 65000x65000": ("IMAGE_TOO_LARGE", lambda: png(65_000, 65_000, b"")),
    "JPEG that claims 65535x65535": ("IMAGE_TOO_LARGE", lambda: claims_size(GOOD, 65_535, 65_535)),
    "1x100000": ("IMAGE_DIMENSIONS", lambda: png(1, 100_000, bytes(2 * 100_000))),
    "100000x1": ("IMAGE_DIMENSIONS", lambda: png(100_000, 1, bytes(12_501))),
    "15x15": ("IMAGE_DIMENSIONS", lambda: png(15, 15, bytes(3 * 15))),
    "26 MB file": ("IMAGE_TOO_LARGE", lambda: GOOD + bytes(26 * 2**20)),
}


@pytest.mark.parametrize("name", PICTURES)
def test_bad_pictures(client: httpx.Client, name: str) -> None:
    code, make = PICTURES[name]
    content = make()
    assert refusal(client.post("/v1/detect", content=content)) == code
    assert refusal(client.post("/v1/detect", files={"image": ("a.jpg", content, "image/jpeg")})) == code
    drawn = client.post("/v1/detect", files={"image": content}, headers={"Accept": "image/jpeg"})
    assert refusal(drawn) == code


def test_text_bomb_costs_no_memory(client: httpx.Client) -> None:
    bomb, process = text_bomb(), psutil.Process()
    client.post("/v1/detect", content=GOOD)
    before = process.memory_info().rss
    for _ in range(5):
        response = client.post("/v1/detect", content=bomb)
        assert response.status_code == 200 or refusal(response) == "IMAGE_UNREADABLE"
    assert process.memory_info().rss - before < 50 * 2**20


def test_all_pictures_bad(client: httpx.Client, golden: Callable[[str, Any], None]) -> None:
    files = [("images", ("a.txt", b"text")), ("images", ("b.jpg", b"")), ("images", ("c.jpg", cut(GOOD)))]
    response = client.post("/v1/detect", files=files, headers={"X-Request-ID": "golden-bad"})
    assert refusal(response) == "ALL_IMAGES_BAD"
    golden("problem_all_images_bad.json", response.json())


def form(*parts: bytes, boundary: bytes = b"b", end: bytes = b"--b--\r\n") -> bytes:
    return b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + end


def part(name: str, content: bytes, extra: str = '; filename="a.jpg"') -> bytes:
    return f'Content-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode() + content


FORM = "multipart/form-data; boundary=b"
BODIES: dict[str, tuple[str, str, bytes]] = {
    "no boundary": ("MULTIPART_INVALID", "multipart/form-data", form(part("image", GOOD))),
    "empty boundary": ("MULTIPART_INVALID", "multipart/form-data; boundary=", form(part("image", GOOD))),
    "wrong boundary": ("MULTIPART_INVALID", "multipart/form-data; boundary=other", form(part("image", GOOD))),
    "boundary without end": (
        "MULTIPART_INVALID",
        f"multipart/form-data; boundary={'b' * 300}",
        form(part("image", GOOD)),
    ),
    "cut off": ("MULTIPART_INVALID", FORM, form(part("image", GOOD))[:-400]),
    "no closing boundary": ("MULTIPART_INVALID", FORM, form(part("image", GOOD), end=b"")),
    "empty body": ("MULTIPART_INVALID", FORM, b""),
    "part without a name": ("MULTIPART_INVALID", FORM, form(b"Content-Type: image/jpeg\r\n\r\n" + GOOD)),
    "part without headers": ("MULTIPART_INVALID", FORM, form(b"\r\n" + GOOD)),
    "broken header": ("MULTIPART_INVALID", FORM, form(b"Content Disposition\r\n\r\nx")),
    "1001 fields": ("MULTIPART_INVALID", FORM, form(*[part(f"f{i}", b"x", "") for i in range(1001)])),
    "1 MB field name": ("MULTIPART_INVALID", FORM, form(part("n" * 2**20, b"x", ""))),
    "no part": ("NO_IMAGE", FORM, b"--b--\r\n"),
    "fields only": ("NO_IMAGE", FORM, form(part("note", b"hello", ""))),
    "file in another field": ("NO_IMAGE", FORM, form(part("file", GOOD))),
    "no file chosen in a browser": ("NO_IMAGE", FORM, form(part("image", b"", '; filename=""'))),
    "33 pictures": ("TOO_MANY_IMAGES", FORM, form(*[part("image", b"x") for _ in range(33)])),
    "nested multipart": ("UNSUPPORTED_IMAGE", FORM, form(part("image", form(part("image", GOOD), boundary=b"c")))),
    "base64": ("UNSUPPORTED_IMAGE", FORM, form(part("image", b"/9j/4AAQSkZJRg=="))),
    "JSON": ("UNSUPPORTED_MEDIA_TYPE", "application/json", json.dumps({"image": "..."}).encode()),
    "deep JSON": ("UNSUPPORTED_MEDIA_TYPE", "application/json", b"[" * 100_000),
    "text": ("UNSUPPORTED_MEDIA_TYPE", "text/plain", b"hello"),
    "urlencoded picture": ("UNSUPPORTED_MEDIA_TYPE", "application/x-www-form-urlencoded", GOOD),
    "another multipart": ("UNSUPPORTED_MEDIA_TYPE", "multipart/mixed; boundary=b", form(part("image", GOOD))),
    "rubbish type": ("UNSUPPORTED_MEDIA_TYPE", "\xff; =;", GOOD),
}


@pytest.mark.parametrize("name", BODIES)
def test_bad_bodies(client: httpx.Client, name: str) -> None:
    code, kind, body = BODIES[name]
    assert refusal(client.post("/v1/detect", content=body, headers={b"Content-Type": kind.encode("latin-1")})) == code


@pytest.mark.parametrize("name", ["../../etc/passwd\0.jpg", "C:\\fakepath\\a.jpg", "ü" * 400, '"', "\xff.png"])
def test_a_file_name_is_a_name_and_nothing_else(client: httpx.Client, name: str) -> None:
    response = client.post("/v1/detect", files={"image": (name, GOOD)})
    assert response.status_code == 200
    assert isinstance(response.json()["images"][0]["filename"], str)


def test_other_fields_are_read_past(client: httpx.Client) -> None:
    body = form(part("note", b"x" * 10**6, ""), part("image", GOOD), part("thumb", GOOD))
    entries = client.post("/v1/detect", content=body, headers={"Content-Type": FORM}).json()["images"]
    assert [entry["filename"] for entry in entries] == ["a.jpg"]


PARAMETERS = ["require=", "require=shoes", "require=helmet,", "require=helmet;vest", "require=helmet&require=shoes"]
PARAMETERS += ["confidence=", "confidence=0.04", "confidence=1.1", "confidence=nan", "confidence=1e400", "confidence=a"]
PARAMETERS += ["confidance=0.5", "require=" + "helmet," * 3000]


@pytest.mark.parametrize("query", PARAMETERS)
def test_bad_parameters(client: httpx.Client, query: str) -> None:
    assert refusal(client.post(f"/v1/detect?{query}", content=GOOD)) == "PARAMETER_INVALID"


@pytest.mark.parametrize("accept", ["image/png", "text/html", "application/json;q=0", "rubbish", "image/jpeg;q=x"])
def test_forms_of_answer_that_there_are_not(client: httpx.Client, accept: str) -> None:
    assert refusal(client.post("/v1/detect", content=GOOD, headers={"Accept": accept})) == "NOT_ACCEPTABLE"


def test_several_pictures_are_not_drawn(client: httpx.Client) -> None:
    files = [("images", GOOD), ("images", GOOD)]
    assert refusal(client.post("/v1/detect", files=files, headers={"Accept": "image/jpeg"})) == "NOT_ACCEPTABLE"


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/", "NOT_FOUND"),
        ("POST", "/v1/detect/", "NOT_FOUND"),
        ("GET", "/v1/detect%0aforged=line", "NOT_FOUND"),
        ("GET", "/v1/detect", "METHOD_NOT_ALLOWED"),
        ("OPTIONS", "/v1/detect", "METHOD_NOT_ALLOWED"),
        ("PATCH", "/v1/detect", "METHOD_NOT_ALLOWED"),
        ("POST", "/healthz", "METHOD_NOT_ALLOWED"),
    ],
)
def test_paths_and_methods(client: httpx.Client, method: str, path: str, code: str) -> None:
    response = client.request(method, path, content=GOOD if method == "POST" else None)
    assert refusal(response) == code
    assert ("allow" in response.headers) == (code == "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(
    ("name", "kind", "body"),
    [("no_image", FORM, b"--b--\r\n"), ("unsupported_image", "image/jpeg", b"text"), ("empty_file", "image/png", b"")],
)
def test_problems_as_they_are_written_down(
    client: httpx.Client, golden: Callable[[str, Any], None], name: str, kind: str, body: bytes
) -> None:
    headers = {"Content-Type": kind, "X-Request-ID": "golden-problem"}
    golden(f"problem_{name}.json", client.post("/v1/detect", content=body, headers=headers).json())


def _flip(content: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(chance.randint(1, 20)):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_damaged_pictures_never_break_the_service(client: httpx.Client, kind: str) -> None:
    chance, whole = random.Random(kind), Scene(240, 340, 40, 8).encoded(kind)
    for _ in range(100):
        response = client.post("/v1/detect", content=_flip(whole, chance))
        assert response.status_code == 200 or refusal(response).startswith(("IMAGE", "UNSUPPORTED")), response.text


@hypothesis_settings(max_examples=100)
@given(
    content=st.binary(max_size=300), head=st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"II*\0"])
)
def test_rubbish_never_breaks_the_service(client: httpx.Client, content: bytes, head: bytes) -> None:
    response = client.post("/v1/detect", content=head + content)
    assert refusal(response) in {
        "EMPTY_FILE",
        "UNSUPPORTED_IMAGE",
        "IMAGE_UNREADABLE",
        "IMAGE_DIMENSIONS",
        "IMAGE_TOO_LARGE",
    }


@hypothesis_settings(max_examples=100)
@given(body=st.binary(max_size=300))
def test_rubbish_forms_never_break_the_service(client: httpx.Client, body: bytes) -> None:
    response = client.post("/v1/detect", content=b"--b\r\n" + body, headers={"Content-Type": FORM})
    assert refusal(response) == "MULTIPART_INVALID"
