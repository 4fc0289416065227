from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of 127.0.0.1 and receiver.example with its key, made on the spot."""
    path = tmp_path_factory.mktemp("tls") / "receiver.pem"
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
        "-subj", "/CN=receiver", "-addext", "subjectAltName=IP:127.0.0.1,DNS:receiver.example",
        "-keyout", str(path), "-out", str(path.with_suffix(".crt")),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path
