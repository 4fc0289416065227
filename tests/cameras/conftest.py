"""What the tests of cameras share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rtsp.camera import make_clips


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clips(tmp_path_factory.mktemp("clips"))
