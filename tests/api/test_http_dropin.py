"""Other people's clients: what they send was recorded from inference-sdk 1.8 (both modes) and the DeepStack clients."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from tests.api.keyed import keyed
from tests.api.made_pictures import Scene

SCENE = Scene()
GOOD = SCENE.encoded()
TEXT = base64.b64encode(GOOD).decode()


def ours(client: httpx.Client, confidence: float) -> list[dict[str, Any]]:
    answer = client.post("/v1/detect", params={"confidence": confidence}, files={"image": GOOD}).json()
    found: list[dict[str, Any]] = answer["images"][0]["detections"]
    assert len(found) == 3
    return found


def corners(prediction: dict[str, Any]) -> dict[str, float]:
    x, y, width, height = (prediction[key] for key in ("x", "y", "width", "height"))
    sides = {"x1": x - width / 2, "y1": y - height / 2, "x2": x + width / 2, "y2": y + height / 2}
    return {name: round(value, 1) for name, value in sides.items()}


def same(predictions: list[dict[str, Any]], found: list[dict[str, Any]]) -> None:
    assert [(one["class"], one["confidence"], corners(one)) for one in predictions] == [
        (one["class"], one["confidence"], one["box"]) for one in found
    ]


def infer(client: httpx.Client, image: object, **settings: object) -> httpx.Response:
    body = {"api_key": "None", "model_id": "ppe/1", "visualize_predictions": False, "image": image, **settings}
    return client.post("/infer/object_detection", json=body)


def sent(text: str = TEXT, kind: str = "base64") -> dict[str, str]:
    return {"type": kind, "value": text}


def test_roboflow_v1_has_the_boxes_of_detect(client: httpx.Client) -> None:
    answer = infer(client, sent()).json()
    same(answer["predictions"], ours(client, 0.4))
    assert answer["image"] == {"width": SCENE.width, "height": SCENE.height}
    assert {one["class_id"] for one in answer["predictions"]} == {0, 2, 4}
    assert len({one["detection_id"] for one in answer["predictions"]}) == 3


def test_roboflow_v1_answers_a_list_with_a_list(client: httpx.Client) -> None:
    answers = infer(client, [sent(), sent()]).json()
    assert [len(one["predictions"]) for one in answers] == [3, 3]
    assert infer(client, [sent()]).json()[0]["predictions"]
    assert infer(client, []).json()["code"] == "NO_IMAGE"


def test_roboflow_v1_filters(client: httpx.Client) -> None:
    assert [one["class"] for one in infer(client, sent(), class_filter=["vest"]).json()["predictions"]] == ["vest"]
    assert infer(client, sent(), confidence=1).json()["predictions"] == []


def test_roboflow_lists_whatever_model_a_client_asks_for(client: httpx.Client) -> None:
    assert [one["model_id"] for one in client.get("/model/registry?api_key=None").json()["models"]] == ["ppe/1"]
    added = client.post("/model/add", json={"model_id": "hats/3", "api_key": "None"}).json()["models"]
    assert [one["model_id"] for one in added] == ["ppe/1", "hats/3"]
    assert client.get("/info").json()["name"] == "PPE safety monitor"


@pytest.mark.parametrize("head", ["", "data:image/jpeg;base64,"])
def test_roboflow_v0_has_the_boxes_of_detect(client: httpx.Client, head: str) -> None:
    answer = client.post(
        "/ppe/1?api_key=None&allow_reduced_mask_resolution=False&disable_active_learning=False",
        content=head + TEXT,
        headers={"Content-Type": "application/json"},
    ).json()
    same(answer["predictions"], ours(client, 0.4))


def test_roboflow_v0_takes_shares_and_percent(client: httpx.Client) -> None:
    found = ours(client, 0.05)
    between = sorted(one["confidence"] for one in found)[1]
    for asked in (between, between * 100):
        answer = client.post(f"/ppe/1?confidence={asked}", content=TEXT).json()
        assert len(answer["predictions"]) == 2
    assert client.post("/ppe/1?confidence=101", content=TEXT).json()["code"] == "PARAMETER_INVALID"
    assert client.post("/ppe/1?classes=vest,person", content=TEXT).json()["predictions"][0]["class"] != "helmet"


def test_roboflow_refusals_say_what_is_wrong(client: httpx.Client) -> None:
    fetched = infer(client, sent("http://169.254.169.254/latest", "url"))
    assert (fetched.status_code, fetched.json()["code"]) == (422, "BODY_INVALID")
    assert fetched.json()["detail"] == "type: Input should be 'base64'"
    assert client.post("/infer/object_detection", json={}).json()["detail"] == "image: Field required"
    assert client.post("/ppe/1?image=http://127.0.0.1/a.jpg").json()["code"] == "PARAMETER_INVALID"
    assert client.post("/ppe/1", content="no base64 at all!").status_code in (415, 422)
    damaged = infer(client, [sent(), sent(TEXT[:400])])
    assert damaged.json()["detail"].startswith("Picture 1: ")
    assert client.post("/infer/object_detection", content=b"{").json()["code"] == "BODY_INVALID"
    assert infer(client, [sent()] * 99).json()["code"] == "TOO_MANY_IMAGES"


def test_a_path_with_a_number_is_not_a_model(client: httpx.Client) -> None:
    assert client.get("/ppe/1").json()["code"] == "METHOD_NOT_ALLOWED"
    assert client.post("/ppe/one").json()["code"] == "NOT_FOUND"


@pytest.mark.parametrize("path", ["/v1/vision/detection", "/v1/vision/custom/ppe"])
def test_deepstack_has_the_boxes_of_detect(client: httpx.Client, path: str) -> None:
    form = {"api_key": (None, ""), "min_confidence": (None, "0.45"), "image": ("image", GOOD)}
    answer = client.post(path, files=form).json()
    assert answer["success"] is True
    assert answer["duration"] > 0
    assert answer["predictions"] == [
        {
            "label": one["class"],
            "confidence": one["confidence"],
            **{f"{key[0]}_{'min' if key[1] == '1' else 'max'}": round(value) for key, value in one["box"].items()},
        }
        for one in ours(client, 0.45)
    ]


def test_deepstack_reads_the_confidence_after_the_picture_too(client: httpx.Client) -> None:
    form = {"image": ("image", GOOD), "min_confidence": (None, "1")}
    assert client.post("/v1/vision/detection", files=form).json()["predictions"] == []


def test_deepstack_refusals_say_what_is_wrong(client: httpx.Client) -> None:
    nothing = client.post("/v1/vision/detection", files={"min_confidence": (None, "0.4")})
    assert (nothing.status_code, nothing.json()["success"], nothing.json()["code"]) == (422, False, "NO_IMAGE")
    bad = client.post("/v1/vision/detection", files={"image": ("image", b"no picture")})
    assert (bad.status_code, bad.json()["code"]) == (415, "UNSUPPORTED_IMAGE")
    assert bad.json()["error"] == bad.json()["detail"]
    for wrong in ("much", "-1", "101", "nan", "x" * 2000):
        form = {"image": ("image", GOOD), "min_confidence": (None, wrong)}
        answer = client.post("/v1/vision/detection", files=form).json()
        assert answer.get("code") == ("PARAMETER_INVALID" if len(wrong) < 1000 else None)
    two = client.post("/v1/vision/detection", files=[("image", GOOD), ("images", GOOD)])
    assert two.json()["code"] == "TOO_MANY_IMAGES"


def test_a_key_is_taken_where_these_clients_put_theirs() -> None:
    """In the address, in the form, in the JSON, or in a header as everywhere."""
    with keyed() as service, service.client() as stranger, service.client("detect") as header:
        key, other = service.tokens["detect"], service.tokens["read"]
        assert stranger.get("/model/registry", params={"api_key": key}).status_code == 200
        assert stranger.post("/ppe/1", params={"api_key": key}, content=TEXT).status_code == 200
        assert infer(stranger, sent(), api_key=key).status_code == 200
        assert stranger.post("/model/add", json={"model_id": "a/1", "api_key": key}).status_code == 200
        form = {"api_key": (None, key), "image": ("image", GOOD)}
        assert stranger.post("/v1/vision/detection", files=form).status_code == 200
        assert infer(header, sent(), api_key="None").status_code == 200
        for answer in (
            stranger.get("/info"),
            stranger.post("/ppe/1", params={"api_key": "None"}, content=TEXT),
            infer(stranger, sent()),
            stranger.post("/v1/vision/detection", files={"image": ("image", GOOD)}),
            stranger.post("/v1/detect", params={"api_key": key}, files={"image": GOOD}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")
        form = {"api_key": (None, other), "image": ("image", GOOD)}
        refused = stranger.post("/v1/vision/detection", files=form)
        assert (refused.json()["code"], refused.json()["success"]) == ("FORBIDDEN", False)
