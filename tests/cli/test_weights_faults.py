"""Weights that can't serve end a command with one sentence and exit code 2, and nothing asks the network for others."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.workers import photo
from tests.conftest import ROOT

OFFLINE = """
import sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "urllib.Request"):
        print("NETWORK", event, arguments, file=sys.stderr, flush=True)

sys.addaudithook(watch)
from service.cli import app
app(prog_name="ppe")
"""

Change = Callable[[dict[str, Any], Path], None]


def _wrong_sha256(manifest: dict[str, Any], folder: Path) -> None:
    manifest["files"]["onnx"]["sha256"] = "0" * 64


def _missing_file(manifest: dict[str, Any], folder: Path) -> None:
    (folder / "model.onnx").unlink()


def _no_helmet(manifest: dict[str, Any], folder: Path) -> None:
    manifest["classes"].remove("helmet")


def _other_order(manifest: dict[str, Any], folder: Path) -> None:
    manifest["classes"].reverse()


def _no_graph(manifest: dict[str, Any], folder: Path) -> None:
    """Leave all as it is: the file is what the manifest names, but no graph."""


def _weights(folder: Path, change: Change) -> Path:
    content = b"this is no graph"
    (folder / "model.onnx").write_bytes(content)
    manifest: dict[str, Any] = {
        "name": "made-up",
        "version": "1",
        "licence": "none",
        "classes": ["helmet", "no-helmet", "vest", "no-vest", "person"],
        "files": {"onnx": {"file": "model.onnx", "sha256": hashlib.sha256(content).hexdigest()}},
        "input_shapes": [[640, 640]],
        "thresholds": {},
        "scores": {},
        "trained_on": [],
        "how_made": {},
    }
    change(manifest, folder)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder / "manifest.json"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_wrong_sha256, "model.onnx: sha256 is "),
        (_missing_file, "model.onnx: the weights that manifest.json names are not there"),
        (_no_helmet, "manifest.json: these weights can't serve the rules, their classes lack helmet"),
        (_other_order, "manifest.json: these weights can't serve the rules, their classes stand in another order"),
        (_no_graph, "model.onnx: OpenVINO can't read this graph"),
    ],
)
@pytest.mark.parametrize("command", ["detect", pytest.param("serve", marks=pytest.mark.thorough)])
def test_bad_weights(tmp_path: Path, command: str, change: Change, words: str) -> None:
    manifest = _weights(tmp_path, change)
    arguments = ["detect", str(photo(tmp_path / "a.jpg"))] if command == "detect" else ["serve", "--port", "0"]
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PPE_WEIGHTS": str(manifest)},
    )
    assert done.returncode == 2
    (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("ppe: ")]
    assert sentence.startswith(f"ppe: {tmp_path}/{words}")
    assert "Traceback" not in done.stderr
    assert "NETWORK" not in done.stderr
    assert done.stdout == ""
