"""What the tests of the lab share."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.lab.train import go_offline
from service.settings import shipped


@pytest.fixture(scope="session")
def ultralytics() -> None:
    """Ultralytics, kept from the network before anything of it is imported; or a skip."""
    try:
        go_offline()
    except ModuleNotFoundError:
        pytest.skip("ultralytics is not installed (extra: train)")


@pytest.fixture(scope="session")
def trained(ultralytics: None) -> Path:
    """The project's own weights as ultralytics reads them, or a skip."""
    for path in sorted(shipped("weights").glob("*.pt")):
        return path
    pytest.skip("needs the project's weights, which are not there")
