"""What the tests of the lab share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from service.lab.train import go_offline
from service.settings import shipped
from tests.lab import sites


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


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean set; copy it before you change it."""
    return sites.write_set(tmp_path_factory.mktemp("drawn") / "set")


@pytest.fixture
def copy(drawn: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(drawn, tmp_path / "set"))


@pytest.fixture
def small(drawn: Path, tmp_path: Path) -> Path:
    """A copy of a few pictures, for what shows on a few."""
    folder = Path(shutil.copytree(drawn, tmp_path / "set"))
    for path in sites.pictures(folder)[::2]:
        path.unlink()
        sites.rows_of(path).unlink()
    return folder
