"""The screen in a real browser, on a service that watches drawn yards: what an operator sees, and may."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import httpx
import pytest

from tests.cli.workers import real_weights
from tests.conftest import NO_DATASETS
from tests.e2e.commands import eventually, ppe
from tests.e2e.drawn import Worker, with_workers, yard
from tests.e2e.screens import DRAWN, Site, address_of, browsing, opened, watched_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.thorough

SHIPPED = "from service.cli import app; app()"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as started:
        yield started


@pytest.fixture(scope="module")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with watched_site(tmp_path_factory.mktemp("site"), "Gate", "Dock") as watched:
        yield watched


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with opened(browser, viewport={"width": 1280, "height": 800}, locale="en-GB") as one:
        yield one


def alerts(site: Site) -> list[dict[str, object]]:
    answer = httpx.get(f"{site.url}/v1/alerts", headers={"X-API-Key": site.keys["read"]})
    return list(answer.json()["alerts"])


def test_a_newcomer_puts_a_photo_in_and_gets_states(page: Page, tmp_path: Path) -> None:
    photo = tmp_path / "yard.jpg"
    cv2.imwrite(str(photo), with_workers(yard(), Worker(0.2), Worker(0.5, vest=False), Worker(0.8, helmet=False)))
    with ppe(tmp_path / "store", "serve", "--port", 0, script=DRAWN) as process:
        page.goto(address_of(process))
        page.wait_for_url("**/screen/try")
        page.set_input_files("#file", str(photo))
        page.wait_for_selector(".people .person >> nth=2")
        said = [" ".join(one.split()) for one in page.locator(".people .person").all_inner_texts()]
        assert ["Vest: missing" in one for one in said].count(True) == 1
        assert ["Helmet: missing" in one for one in said].count(True) == 1
        assert ["Helmet: worn" in one and "Vest: worn" in one for one in said].count(True) == 1
        assert page.locator(".marks rect.person.bad").count() == 2
        page.set_input_files("#file", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"})
        page.wait_for_selector(".said .badge.bad")


def test_the_shipped_weights_judge_a_film_and_a_photo_out_of_it(page: Page, datasets: Path, tmp_path: Path) -> None:
    real_weights()
    clip = datasets / "clips" / "pratim_ppe-1.mp4"
    if not clip.is_file():
        pytest.skip(NO_DATASETS)
    film = cv2.VideoCapture(str(clip))
    film.set(cv2.CAP_PROP_POS_FRAMES, 30)
    there, image = film.read()
    assert there
    cv2.imwrite(str(tmp_path / "photo.jpg"), image)
    with ppe(tmp_path / "store", "serve", "--port", 0, script=SHIPPED) as process:
        page.goto(address_of(process))
        page.wait_for_url("**/screen/try")
        page.set_input_files("#file", str(tmp_path / "photo.jpg"))
        page.locator(".people .person >> text=Vest: missing").first.wait_for(timeout=60_000)
        page.set_input_files("#file", str(clip))
        page.locator(".strip button").nth(2).wait_for(timeout=60_000)
        page.get_by_role("button", name="Stop").click()
        assert page.locator(".strip button.bad").count()


def test_an_alert_appears_by_itself_and_is_acknowledged_for_good(page: Page, site: Site) -> None:
    site.enter(page, "operate")
    page.wait_for_selector(".tile[data-camera=gate] .frame:not(.empty)")
    page.click("nav a[href$=alerts]")
    page.wait_for_selector(".alerts", state="attached")
    known = page.locator(".row").count()
    site.show("gate", Worker(0.3), Worker(0.6, vest=False))
    assert eventually(lambda: len(alerts(site)) > known)
    fired = time.monotonic()
    page.locator(".row").nth(known).wait_for()
    assert time.monotonic() - fired < 2
    page.locator(".row >> text=No vest").click()
    page.locator(".timeline").wait_for()
    page.keyboard.press("a")
    page.fill("#note", "told them")
    page.keyboard.press("Enter")
    page.locator(".row .badge:has-text('acknowledged')").wait_for()
    page.reload()
    page.locator(".row .badge:has-text('acknowledged')").wait_for()
    page.locator(".timeline >> text=told them").wait_for()
    assert "by operate key" in page.inner_text(".timeline")
    page.click("nav a[href$=now]")
    page.locator("h1 >> text=1 person without a vest at Gate").wait_for()
    site.show("gate")


def test_a_viewer_can_change_nothing(page: Page, site: Site) -> None:
    site.show("gate", Worker(0.6, vest=False))
    assert eventually(lambda: bool(alerts(site)))
    alert = alerts(site)[0]["id"]
    site.enter(page, "read")
    page.goto(f"{site.url}/screen/alerts#{alert}")
    page.locator(".timeline").wait_for()
    assert page.locator("[data-act]").count() == 0
    for key in "asf":
        page.keyboard.press(key)
    assert page.locator("dialog").count() == 0
    site.show("gate")
    changes = [
        ("POST", f"/v1/alerts/{alert}/acknowledge", "{}"),
        ("POST", f"/v1/alerts/{alert}/snooze", "{}"),
        ("POST", f"/v1/alerts/{alert}/false", "{}"),
        ("PUT", "/v1/cameras/gate", '{"source": "rtsp://10.0.0.5/"}'),
        ("DELETE", "/v1/cameras/gate", "{}"),
        ("POST", "/v1/site/reload", "{}"),
        ("POST", "/v1/keys", '{"name": "mine", "scopes": ["admin"]}'),
        ("POST", "/v1/detect", "{}"),
    ]
    ask = """async ([method, path, body]) => {
        const { csrf } = await (await fetch("/v1/session")).json();
        const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf };
        return (await fetch(path, { method, headers, body })).status;
    }"""
    assert {page.evaluate(ask, list(change)) for change in changes} == {403}
    by_key = [
        httpx.request(method, site.url + path, content=body, headers={"X-API-Key": site.keys["read"]}).status_code
        for method, path, body in changes
    ]
    assert set(by_key) == {403}


def test_without_the_page_s_token_a_session_changes_nothing(page: Page, site: Site) -> None:
    site.enter(page, "admin")
    ask = """async () => (await fetch("/v1/site/reload", { method: "POST" })).status"""
    assert page.evaluate(ask) == 403


def test_reports_tell_what_the_api_tells(page: Page, site: Site) -> None:
    site.show("gate", Worker(0.3), Worker(0.6, vest=False))
    told: list[dict[str, float]] = []

    def counted() -> bool:
        answer = httpx.get(f"{site.url}/v1/stats?by=equipment", headers={"X-API-Key": site.keys["read"]})
        told[:] = [group for group in answer.json()["groups"] if group["equipment"] == "vest"]
        fired = httpx.get(f"{site.url}/v1/alerts", headers={"X-API-Key": site.keys["read"]}).json()["alerts"]
        return bool(told and told[0]["missing_s"] and fired)

    assert eventually(counted)
    site.enter(page, "read")
    page.click("nav a[href$=reports]")
    figure = page.locator(".figure[data-equipment=vest]")
    figure.wait_for()
    assert 0 < float(figure.inner_text().removesuffix(" %")) < 100
    assert "1 of 1 alerts were acknowledged" in page.inner_text("#answered") or "No alert" in page.inner_text(
        "#answered"
    )
    zone = page.locator("tr", has=page.get_by_role("rowheader", name="Gate · whole picture", exact=True))
    assert "% worn" in zone.inner_text()
    for kind in ("week", "month"):
        page.click(f"[data-period={kind}]")
        page.locator(f"[data-period={kind}][aria-current]").wait_for()
        page.locator(".chart >> nth=2").wait_for()
        assert page.locator(".chart").count() == 3
    page.click("#before")
    page.locator(".figure >> text=–").first.wait_for()
    page.click("#after")
    with page.expect_download() as download:
        page.click("#csv")
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("camera,zone,equipment,hour,worn_s")
    assert any(line.startswith("gate,whole-picture,vest,") for line in lines)
    site.show("gate")


def test_a_camera_that_is_turned_off_is_shown_as_offline(page: Page, site: Site) -> None:
    site.enter(page, "read")
    page.wait_for_selector(".tile[data-camera=dock][data-level=good] .frame:not(.empty)")
    site.kill("dock")
    begun = time.monotonic()
    page.wait_for_selector(".tile[data-camera=dock][data-level=blind]", timeout=20_000)
    assert time.monotonic() - begun < 12
    assert "offline" in page.inner_text(".tile[data-camera=dock]")
    page.locator("h1, .rest").get_by_text("1 camera can't see: Dock").wait_for()


def test_it_speaks_korean_where_that_is_chosen(page: Page, site: Site) -> None:
    site.enter(page, "read")
    page.click("[data-language=ko]")
    page.wait_for_selector("html[lang=ko] .tile")
    page.reload()
    page.wait_for_selector("html[lang=ko] .tile")
    page.click(".who button")
    page.wait_for_url("**/screen/signin")
    assert page.evaluate("async () => (await fetch('/v1/cameras')).status") == 401
