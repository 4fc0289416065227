from __future__ import annotations

import pytest
from pydantic import ValidationError

from service.settings import Settings, as_markdown
from tests.conftest import ROOT


def test_the_configuration_page_is_current() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page == as_markdown(), "run: make docs"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_told_from_what_is_not(host: str) -> None:
    assert Settings(host=host).loopback
    for other in ("0.0.0.0", "::", "192.168.1.5"):
        assert not Settings(host=other).loopback


@pytest.mark.parametrize("host", ["example.org", "", "127.0.0.1:80"])
def test_an_address_is_listened_on_and_no_name(host: str) -> None:
    with pytest.raises(ValidationError, match="is no address of this machine"):
        Settings(host=host)


@pytest.mark.parametrize("proxies", ["*", "proxy.example", "10.0.0.5, *", "10.0.0.5/24"])
def test_nobody_is_trusted_by_a_wildcard_or_a_name(proxies: str) -> None:
    assert Settings(trusted_proxies="10.0.0.5, 10.0.1.0/24,::1").trusted_proxies
    with pytest.raises(ValidationError, match="is no address or network"):
        Settings(trusted_proxies=proxies)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PPE_MAX_IMAGES", "3")
    assert Settings().max_images == 3
