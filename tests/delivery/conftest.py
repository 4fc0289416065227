from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from service.ports import Poster
from tests.delivery.office import Office


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


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Callable[..., Office]]:
    """Return what makes an `Office` for a poster; its store is closed in the end."""
    made: list[Office] = []

    def make(poster: Poster, **how: Any) -> Office:
        made.append(Office(tmp_path / "store", poster, **how))
        return made[-1]

    yield make
    for one in made:
        one.store.close()
