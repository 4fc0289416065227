"""A client that is generated from the OpenAPI document, and is the whole of what its user knows, works."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import httpx
import pytest

from service.ports import Still
from tests.api.keyed import Keyed, keyed
from tests.api.made_pictures import Scene
from tests.store.made import JPEG

CONFIG = Path(__file__).parent.parent.parent / "docs" / "samples" / "python-client.yaml"
USER = """
import io, json, sys
sys.path.insert(0, sys.argv[1])
from ppe_safety_monitor_client import AuthenticatedClient
from ppe_safety_monitor_client.api.alerts import acknowledge_alert, get_alert, list_alerts
from ppe_safety_monitor_client.api.cameras import list_cameras
from ppe_safety_monitor_client.api.detect import detect
from ppe_safety_monitor_client.api.evidence import get_evidence
from ppe_safety_monitor_client.api.health import get_metrics
from ppe_safety_monitor_client.models import Acknowledgement, DetectFilesBody, GetEvidenceKind
from ppe_safety_monitor_client.types import File

client = AuthenticatedClient(base_url=sys.argv[2], token=sys.argv[3])
picture = File(payload=open(sys.argv[4], "rb"), file_name="gate.jpg", mime_type="image/jpeg")
(alert,) = list_alerts.sync(client=client).alerts
print(json.dumps({
    "people": len(detect.sync(client=client, body=DetectFilesBody(image=picture)).images[0].people),
    "alert": alert.id,
    "said": acknowledge_alert.sync(alert.id, client=client, body=Acknowledgement(by="Kim")).acknowledged.by,
    "evidence": get_evidence.sync(alert.id, GetEvidenceKind("crop"), client=client).payload.read().hex(),
    "cameras": [camera.id for camera in list_cameras.sync(client=client).cameras],
    "problem": get_alert.sync("nothing", client=client).code,
    "metrics": "ppe_ready" in get_metrics.sync(client=client),
}))
"""


def _told(ran: subprocess.CompletedProcess[str]) -> str:
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def _generated(tools: Path, service: Keyed, folder: Path) -> str:
    """Make the client, as docs/api.md says; return what was said on the way."""
    document = folder / "openapi.json"
    document.write_bytes(httpx.get(f"{service.url}/openapi.json", timeout=60).content)
    command = [tools / "openapi-python-client", "generate", "--path", document, "--config", CONFIG]
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    command += ["--output-path", folder / "client"]
    return _told(
        subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment, cwd=folder)
    )


@pytest.mark.thorough
def test_a_generated_client_works(tmp_path: Path) -> None:
    tools = Path(os.environ.get("PPE_TEST_CLIENTS", "/nowhere")) / "bin"
    if not (tools / "openapi-python-client").exists():
        pytest.skip("PPE_TEST_CLIENTS names no virtual environment with openapi-python-client (.ci/run makes one)")
    picture = tmp_path / "gate.jpg"
    picture.write_bytes(Scene().encoded())
    with keyed() as service:
        (alert,) = service.made.fire(1)
        service.made.store.record([], [Still(alert.id, "crop", JPEG)], [])
        assert "WARNING" not in _generated(tools, service, tmp_path).upper()
        asked = [tools / "python", "-c", USER, tmp_path / "client", service.url, service.tokens["admin"], picture]
        found = json.loads(_told(subprocess.run(asked, capture_output=True, text=True, timeout=120, check=False)))
    assert found == {
        "people": 1,
        "alert": alert.id,
        "said": "Kim",
        "evidence": JPEG.hex(),
        "cameras": ["gate", "dock"],
        "problem": "ALERT_NOT_FOUND",
        "metrics": True,
    }
