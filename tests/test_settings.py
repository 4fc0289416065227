from __future__ import annotations

import pytest
from pydantic import ValidationError

from service.settings import Settings, as_markdown
from tests.conftest import ROOT


def test_the_configuration_page_is_current() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page == as_markdown(), "run: make docs"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_taken(host: str) -> None:
    assert Settings(host=host).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_beyond_loopback_is_refused_without_keys(host: str) -> None:
    with pytest.raises(ValidationError, match="no loopback address"):
        Settings(host=host)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PPE_MAX_IMAGES", "3")
    assert Settings().max_images == 3
