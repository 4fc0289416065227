"""What the service answers to good requests."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image as PillowImage

from service.api.describe import EXAMPLE
from service.api.schemas import present
from service.detectors.fake import FakeDetector
from service.pictures.decode import PictureLimits, read_picture
from service.safety.wearing import sightings
from service.settings import shipped
from tests.api.conftest import build, serving
from tests.api.made_pictures import Scene, encode, png_16_bit, see, turned

SCENE = Scene()
GOOD = SCENE.encoded()


def _boxes(response: httpx.Response) -> list[list[float]]:
    assert response.status_code == 200, response.text
    (entry,) = response.json()["images"]
    found = {detection["class"]: list(detection["box"].values()) for detection in entry["detections"]}
    assert sorted(found) == ["helmet", "person", "vest"]
    return [found[name] for name in ("person", "helmet", "vest")]


def _steady(answer: dict[str, Any]) -> dict[str, Any]:
    assert all(value >= 0 for value in answer["timings_ms"].values())
    return {**answer, "timings_ms": dict.fromkeys(answer["timings_ms"], 0.0)}


def test_one_picture(client: httpx.Client, golden: Callable[[str, Any], None]) -> None:
    response = client.post(
        "/v1/detect", files={"image": ("gate.jpg", GOOD, "image/jpeg")}, headers={"X-Request-ID": "golden-one"}
    )
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    golden("detect_one.json", _steady(response.json()))


def test_many_pictures_keep_their_order_and_a_bad_one_spoils_nothing(
    client: httpx.Client, golden: Callable[[str, Any], None]
) -> None:
    files = [
        ("images", ("a.jpg", GOOD)),
        ("image", ("b.txt", b"no picture")),
        ("images", ("c.png", Scene(left=400).encoded("PNG"))),
        ("images", ("../../etc/passwd", Scene(width=480, height=640).encoded("WEBP"))),
    ]
    response = client.post("/v1/detect", files=files, headers={"X-Request-ID": "golden-many"})
    assert response.status_code == 200
    golden("detect_many.json", _steady(response.json()))


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png", "application/octet-stream", None])
def test_a_raw_body_is_one_picture_whatever_its_type_claims(client: httpx.Client, kind: str | None) -> None:
    response = client.post("/v1/detect", content=GOOD, headers={"Content-Type": kind} if kind else {})
    assert response.json()["images"][0]["filename"] is None
    assert _boxes(response) == _boxes(client.post("/v1/detect", files={"image": GOOD}))


def test_http_says_what_the_library_says(client: httpx.Client) -> None:
    detector = FakeDetector(see)
    seen = detector.detect(read_picture(GOOD, PictureLimits()))
    people = sightings(seen, detector.model.thresholds)
    expected = present(seen, people, require=("vest",), floor=0.75).model_dump_json(by_alias=True)
    entry = client.post("/v1/detect?require=vest&confidence=0.75", content=GOOD).text
    assert f'{{"images":[{{"index":0,"filename":null,{expected[1:]}],"model":' in entry


def test_require_decides_compliance_only(client: httpx.Client) -> None:
    bare = SCENE.pixels()
    x1, y1, x2, y2 = SCENE.boxes()[2]
    bare[y1:y2, x1:x2] = 90  # no vest to be seen
    content = encode(PillowImage.fromarray(bare), "PNG")
    people = {
        require: client.post("/v1/detect", params={"require": require}, content=content).json()["images"][0]["people"]
        for require in ("helmet,vest", "vest,helmet", "helmet", "vest")
    }
    assert {require: [person.pop("compliant") for person in found] for require, found in people.items()} == {
        "helmet,vest": [None],
        "vest,helmet": [None],
        "helmet": [True],
        "vest": [None],
    }
    assert people["helmet"] == people["vest"] == people["helmet,vest"]


def test_confidence_moves_the_reported_boxes_only(client: httpx.Client) -> None:
    low, high = (
        client.post("/v1/detect", params={"confidence": floor}, content=GOOD).json()["images"][0] for floor in (0.05, 1)
    )
    assert (len(low["detections"]), len(high["detections"])) == (3, 0)
    assert low["people"] == high["people"]


@pytest.mark.parametrize("accept", ["image/jpeg", "image/*", "image/jpeg, application/json;q=0.5, */*;q=0.1"])
def test_annotated_picture(client: httpx.Client, accept: str) -> None:
    response = client.post("/v1/detect", files={"image": GOOD}, headers={"Accept": accept})
    assert (response.status_code, response.headers["content-type"]) == (200, "image/jpeg")
    with PillowImage.open(io.BytesIO(response.content)) as drawn:
        assert (drawn.format, drawn.size) == ("JPEG", (SCENE.width, SCENE.height))
        assert drawn.tobytes() != SCENE.pillow().tobytes()


@pytest.mark.parametrize("accept", ["*/*", "application/*", "text/html, */*;q=0.1", "application/json, image/jpeg"])
def test_json_where_the_picture_is_not_wanted_more(client: httpx.Client, accept: str) -> None:
    response = client.post("/v1/detect", content=GOOD, headers={"Accept": accept})
    assert response.headers["content-type"] == "application/json"


def _icc() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


ODD: dict[str, Callable[[], bytes]] = {
    "progressive JPEG": lambda: SCENE.encoded(progressive=True),
    "greyscale JPEG": lambda: SCENE.encoded(mode="L"),
    "CMYK JPEG": lambda: SCENE.encoded(mode="CMYK"),
    "JPEG with an ICC profile": lambda: SCENE.encoded(icc_profile=_icc()),
    "JPEG with something behind it": lambda: SCENE.encoded() + b"PK\x03\x04 and so on",
    "greyscale PNG": lambda: SCENE.encoded("PNG", "L"),
    "RGBA PNG": lambda: SCENE.encoded("PNG", "RGBA"),
    "palette PNG": lambda: SCENE.encoded("PNG", "P"),
    "16-bit PNG": lambda: png_16_bit(SCENE),
    "16-bit grey PNG": lambda: encode(PillowImage.fromarray(SCENE.pixels()[..., 0].astype("uint16") * 257), "PNG"),
    "WebP": lambda: SCENE.encoded("WEBP"),
    "lossless WebP": lambda: SCENE.encoded("WEBP", lossless=True),
    "RGBA WebP": lambda: SCENE.encoded("WEBP", "RGBA"),
    "BMP": lambda: SCENE.encoded("BMP"),
    "palette BMP": lambda: SCENE.encoded("BMP", "P"),
    "TIFF": lambda: SCENE.encoded("TIFF"),
    "packed TIFF": lambda: SCENE.encoded("TIFF", compression="tiff_lzw"),
    "TIFF of two pages": lambda: SCENE.encoded("TIFF", save_all=True, append_images=[PillowImage.new("RGB", (64, 64))]),
    "MPO of two pictures": lambda: SCENE.encoded(
        "MPO", save_all=True, append_images=[PillowImage.new("RGB", (64, 64))]
    ),
    **{f"EXIF orientation {turn}": lambda turn=turn: turned(SCENE, turn) for turn in range(1, 9)},  # type: ignore[misc]
}


@pytest.mark.parametrize("name", ODD)
def test_odd_pictures_show_the_same_as_the_plain_one(client: httpx.Client, name: str) -> None:
    response = client.post("/v1/detect", content=ODD[name]())
    found = _boxes(response)
    assert (response.json()["images"][0]["width"], response.json()["images"][0]["height"]) == (640, 480)
    for box, plain in zip(found, SCENE.boxes(), strict=True):
        assert box == pytest.approx(plain, abs=0.01 * (plain[3] - plain[1]) + 1)


def test_sixteen_at_once_get_their_own_boxes(client: httpx.Client) -> None:
    scenes = [Scene(left=24 * index, top=8 * index) for index in range(16)]
    with ThreadPoolExecutor(16) as clients:
        answers = list(clients.map(lambda scene: client.post("/v1/detect", content=scene.encoded("PNG")), scenes))
    for scene, answer in zip(scenes, answers, strict=True):
        assert _boxes(answer) == [list(box) for box in scene.boxes()]


def test_a_full_request_gets_its_boxes_in_order(client: httpx.Client) -> None:
    scenes = [Scene(left=8 * index) for index in range(32)]
    files = [("images", (f"{index}.png", scene.encoded("PNG"))) for index, scene in enumerate(scenes)]
    entries = client.post("/v1/detect", files=files).json()["images"]
    assert [(entry["index"], entry["filename"]) for entry in entries] == [(i, f"{i}.png") for i in range(32)]
    assert [entry["people"][0]["box"]["x1"] for entry in entries] == [scene.left for scene in scenes]


def test_request_ids(client: httpx.Client) -> None:
    own = client.post("/v1/detect", content=GOOD, headers={"X-Request-ID": "site-7.cam_2"})
    assert own.headers["x-request-id"] == own.json()["request_id"] == "site-7.cam_2"
    for insane in ("", "a" * 65, 'x" onload="', "a b"):
        made = client.get("/healthz", headers={"X-Request-ID": insane}).headers["x-request-id"]
        assert re.fullmatch("[0-9a-f]{32}", made)


def test_the_documented_example_has_the_answers_shape(client: httpx.Client) -> None:
    files = [("images", ("a.jpg", GOOD)), ("images", ("b.txt", b"no picture"))]

    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: shape(inner) for name, inner in value.items() if name not in {"helmet", "vest"}}
        return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__

    answered, example = client.post("/v1/detect", files=files).json(), EXAMPLE
    assert shape(answered) == shape(example) | {"timings_ms": shape(answered["timings_ms"])}
    assert shape(answered["images"][1]) == shape(example["images"][1])


def test_the_real_model_says_by_http_what_it_says_in_the_library() -> None:
    manifest = shipped("weights") / "manifest.json"
    if not manifest.is_file():
        pytest.skip("needs weights/manifest.json, which is not there")
    photo = Path(pytest.importorskip("matplotlib.cbook").get_sample_data("grace_hopper.jpg", asfileobj=False))
    from service.detectors.manifest import read_weights
    from service.detectors.openvino import OpenVinoDetector

    content = photo.read_bytes()
    detector = OpenVinoDetector(read_weights(manifest, "onnx"))
    seen = detector.detect(read_picture(content, PictureLimits()))
    expected = present(seen, sightings(seen, detector.model.thresholds)).model_dump_json(by_alias=True)
    with serving(build(detector)) as url:
        answer = httpx.post(f"{url}/v1/detect", files={"image": content}, timeout=60).text
    assert expected[1:] in answer
