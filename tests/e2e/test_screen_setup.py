"""Zones and cameras are set up on the screen, in a real browser: what is drawn there is what fires."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import pytest
import yaml

from tests.cameras.http_camera import Camera, http_camera
from tests.e2e.commands import eventually
from tests.e2e.drawn import Worker, filmed, with_workers, yard
from tests.e2e.screens import Site, browsing, opened, watched_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as started:
        yield started


@pytest.fixture(scope="module")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with watched_site(tmp_path_factory.mktemp("site"), "Gate") as watched:
        yield watched


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    with opened(browser, viewport={"width": 1280, "height": 900}, locale="en-GB") as one:
        site.enter(one, "admin")
        yield one


def ask(site: Site, path: str) -> dict[str, object]:
    found: dict[str, object] = httpx.get(site.url + path, headers={"X-API-Key": site.keys["admin"]}).json()
    return found


def alerts(site: Site, **query: str) -> int:
    said = "&".join(f"{key}={value}" for key, value in query.items())
    return len(ask(site, f"/v1/alerts?{said}")["alerts"])  # type: ignore[arg-type]


def click_on(page: Page, *corners: tuple[float, float]) -> None:
    """Click on places of the picture, relative to it."""
    box = page.locator(".canvas").bounding_box()
    assert box
    for x, y in corners:
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def test_a_zone_that_is_drawn_changes_what_fires(page: Page, site: Site) -> None:
    right = Worker(0.75, vest=False)
    site.show("gate", right)
    assert eventually(lambda: alerts(site) == 1)
    site.show("gate")
    page.click("nav a[href$=zones]")
    page.wait_for_selector(".canvas:not(.empty)")
    page.click("#draw")
    click_on(page, (0.03, 0.3), (0.5, 0.3), (0.5, 0.98), (0.03, 0.98), (0.03, 0.3))
    page.fill("#zone-name", "West bay")
    page.uncheck("input[name=require][value=helmet]")
    page.locator(".foreseen .badge >> text=1 alert less").wait_for(timeout=20_000)
    assert "zones" not in site.file.read_text(encoding="utf-8")
    page.click("#save")
    page.locator(".toast >> text=Saved").wait_for()

    written = yaml.safe_load(site.file.read_text(encoding="utf-8"))["cameras"]["gate"]["zones"]["west-bay"]
    assert (written["name"], written["require"]) == ("West bay", [{"equipment": "vest"}])
    assert [round(x, 1) for x, _ in written["polygon"]] == [0.0, 0.5, 0.5, 0.0]
    log = ask(site, "/v1/audit?limit=50")
    done = [(one["action"], one["object"], one["outcome"]) for one in log["entries"]]  # type: ignore[attr-defined]
    assert ("camera.put", "gate", "done") in done

    site.show("gate", right, Worker(0.25, helmet=False))
    judged = "/v1/stats?by=equipment"
    before = ask(site, judged)
    assert eventually(lambda: ask(site, judged)["groups"] != before["groups"])
    site.show("gate", right, Worker(0.25, helmet=False, vest=False))
    assert eventually(lambda: alerts(site, zone="west-bay", equipment="vest") == 1)
    assert alerts(site) == 2
    site.show("gate")


def test_a_zone_is_moved_by_mouse_and_by_keys_and_taken_away(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/screen/zones?camera=gate")
    page.locator(".zone-list button").first.click()
    box = page.locator(".canvas").bounding_box()
    assert box
    x, y = box["x"] + 0.25 * box["width"], box["y"] + 0.6 * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 0.2 * box["width"], y, steps=4)
    page.mouse.up()
    page.focus(".corner[data-at='1']")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    page.click("#save")
    page.locator(".toast >> text=Saved").wait_for()
    (zone,) = yaml.safe_load(site.file.read_text(encoding="utf-8"))["cameras"]["gate"]["zones"].values()
    assert [round(x, 2) for x, _ in zone["polygon"]] == [0.23, 0.69, 0.7, 0.23]
    assert zone["polygon"][1][1] == pytest.approx(zone["polygon"][0][1] - 0.01, abs=0.002)
    page.locator(".zone-list button").first.click()
    page.click("#remove")
    page.click("#save")
    page.locator(".toast >> text=Saved").wait_for()
    assert eventually(lambda: "zones" not in yaml.safe_load(site.file.read_text(encoding="utf-8"))["cameras"]["gate"])


def test_what_crosses_itself_can_not_be_saved(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/screen/zones?camera=gate")
    page.wait_for_selector(".canvas")
    page.click("#draw")
    click_on(page, (0.1, 0.2), (0.6, 0.8), (0.6, 0.2), (0.1, 0.8))
    page.keyboard.press("Enter")
    page.locator("[role=alert] >> text=its sides cross").wait_for()
    assert page.locator("#save").is_disabled()
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("#discard")
    page.wait_for_selector(".zone-list button", state="detached")


def test_the_page_is_for_who_may_change_cameras(browser: Browser, site: Site) -> None:
    with opened(browser, locale="en-GB") as other:
        site.enter(other, "operate")
        assert other.locator("nav a[href$=zones]").is_hidden()
        other.goto(f"{site.url}/screen/zones")
        other.wait_for_url("**/screen/now")


def test_a_camera_is_tried_added_and_taken_away(page: Page, site: Site) -> None:
    shown = filmed(with_workers(yard(), Worker(0.4), Worker(0.7, tall=0.25)))
    with http_camera(Camera(parts=shown, every=0.1)) as camera:
        page.click("nav a[href$=cameras]")
        page.click("#add")
        page.fill("#name", "Roof")
        page.fill("#source", camera.url)
        page.click("#try")
        page.locator(".trial img").wait_for()
        told = page.inner_text(".trial")
        assert "960 × 540" in told
        assert "2 people" in told
        assert page.locator(".trial img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 960
        page.fill("#fps", "2")
        page.click("#save")
        page.locator("[data-camera=roof] >> text=live").wait_for()
        written = yaml.safe_load(site.file.read_text(encoding="utf-8"))["cameras"]["roof"]
        assert written == {"source": camera.url, "name": "Roof", "fps": 2}
    page.click("#try")
    page.locator(".trial >> text=It can't be reached").wait_for()
    page.click("#remove")
    page.click("dialog .main")
    page.locator("[data-camera=roof]").wait_for(state="detached")
    assert "roof" not in site.file.read_text(encoding="utf-8")


def test_what_a_site_file_would_not_take_is_said(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/screen/cameras")
    page.click("#add")
    page.fill("#source", "rtsp://ann:secret@10.0.0.5/live")
    page.click("#save")
    page.locator("[role=alert] >> text=credentials").wait_for()
    assert "secret" not in page.inner_text("[role=alert]")


def test_a_late_answer_does_not_take_the_form_away(page: Page, site: Site) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/v1/cameras/gate/entry", hold, times=1)
    page.goto(f"{site.url}/screen/cameras", wait_until="commit")
    page.locator("[data-camera=gate]").wait_for()
    while not held:
        page.wait_for_timeout(20)
    page.click("#add")
    page.fill("#name", "Roof")
    with page.expect_request("**/v1/cameras/gate/entry"):  # the next that is asked for once that one came
        held[0].continue_()
    assert page.input_value("#name") == "Roof"


def test_changes_that_are_not_saved_are_let_go_only_when_that_is_said(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/screen/cameras")
    page.click("#add")
    page.fill("#name", "Roof")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.click("[data-camera=gate]")
    assert page.input_value("#name") == "Roof"
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("[data-camera=gate]")
    page.locator("h2 >> text=Gate").wait_for()


def sign_in(page: Page, site: Site, name: str, password: str) -> None:
    page.goto(f"{site.url}/screen/signin")
    page.fill("#name", name)
    page.fill("#key", password)
    page.click("form button")


def test_a_user_is_added_signs_in_changes_their_password_and_is_let_in_no_more(
    browser: Browser, page: Page, site: Site
) -> None:
    first, second = "correct horse battery", "staple the donkey"
    page.click("nav a[href$=access]")
    page.fill("#name", "Ann")
    page.select_option("#role", "operator")
    page.fill("#password", first)
    page.click("#add")
    row = page.locator("[data-key]", has_text="Ann")
    row.wait_for()
    assert "operator" in row.inner_text()
    with opened(browser, locale="en-GB") as other:
        sign_in(other, site, "ann", "something else")
        other.locator("[role=alert] >> text=password").wait_for()
        sign_in(other, site, "ann", first)
        other.wait_for_url("**/screen/now")
        assert other.locator("nav a[href$=access]").is_hidden()
        other.click("#me")
        other.fill("#old", first)
        other.fill("#new", second)
        other.fill("#again", second + "s")
        other.click("dialog .main")
        other.locator("dialog [role=alert] >> text=not the same").wait_for()
        other.fill("#again", second)
        other.click("dialog .main")
        other.locator(".toast >> text=changed").wait_for()
        page.once("dialog", lambda dialog: dialog.accept())
        row.locator("[data-revoke]").click()
        row.wait_for(state="detached")
        other.goto(f"{site.url}/screen/now")
        other.wait_for_url("**/screen/signin")
        sign_in(other, site, "ann", second)
        other.locator("[role=alert] >> text=password").wait_for()
