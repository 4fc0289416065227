"""The real clients of other people's servers, each with an API key, get the boxes of /v1/detect."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.api.keyed import keyed
from tests.api.made_pictures import Scene

GOOD = Scene().encoded()
ROBOFLOW = """
import json, sys
from inference_sdk import InferenceConfiguration, InferenceHTTPClient
url, picture, key = sys.argv[1:]
client = InferenceHTTPClient(api_url=url, api_key=key)
found = [client.infer(picture, model_id="ppe/1")]
with client.use_api_v0():
    found.append(client.infer(picture, model_id="hats/3"))
with client.use_configuration(InferenceConfiguration(max_batch_size=4, api_key_transport="header")):
    found += client.infer([picture, picture], model_id="hats/3")
print(json.dumps([[(one["class"], one["confidence"]) for one in answer["predictions"]] for answer in found]))
"""
DEEPSTACK_SDK = """
import json, sys
from deepstack_sdk import Detection, ServerConfig
url, picture, key = sys.argv[1:]
found = Detection(ServerConfig(url, api_key=key)).detectObject(picture)
print(json.dumps([[(one.label, one.confidence) for one in found]]))
"""
DEEPSTACK_PYTHON = """
import json, sys
from urllib.parse import urlsplit
from deepstack.core import DeepstackObject
url, picture, key = sys.argv[1:]
client = DeepstackObject(urlsplit(url).hostname, urlsplit(url).port, key, min_confidence=0.4)
found = client.detect(open(picture, "rb").read())
print(json.dumps([[(one["label"], one["confidence"]) for one in found]]))
"""


@pytest.fixture(scope="module")
def python() -> str:
    """The interpreter of an environment with inference-sdk, deepstack-sdk and deepstack-python."""
    folder = os.environ.get("PPE_TEST_CLIENTS", "")
    if not folder:
        pytest.skip("PPE_TEST_CLIENTS names no virtual environment with the clients (.ci/run makes one)")
    return str(Path(folder) / "bin" / "python")


@pytest.mark.parametrize(
    ("script", "answers"), [(ROBOFLOW, 4), (DEEPSTACK_SDK, 1), (DEEPSTACK_PYTHON, 1)], ids=["roboflow", "sdk", "python"]
)
def test_a_client_gets_the_boxes_of_detect(python: str, script: str, answers: int, tmp_path: Path) -> None:
    picture = tmp_path / "gate.jpg"
    picture.write_bytes(GOOD)
    with keyed() as service, service.client("detect") as client:
        done = subprocess.run(
            [python, "-c", script, service.url, str(picture), service.tokens["detect"]],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        answer = client.post("/v1/detect?confidence=0.4", files={"image": GOOD}).json()
    ours: list[dict[str, Any]] = answer["images"][0]["detections"]
    assert json.loads(done.stdout.splitlines()[-1]) == [[[one["class"], one["confidence"]] for one in ours]] * answers
