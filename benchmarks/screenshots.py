"""Pictures of every page of the screen, to be looked at: two languages, desk and phone, over drawn yards.

    python -m benchmarks.screenshots --out FOLDER [--dark]
    python -m benchmarks.screenshots --docs            # writes docs/pictures anew

Prints, for each language and width, whether a page was wider than its window, failed, or asked for anything elsewhere.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
from PIL import Image as Pillow

from service.keys import Role
from tests.conftest import ROOT
from tests.e2e.drawn import Worker, with_workers, yard
from tests.e2e.screens import PASSWORD, Seen, Site, browsing, watched_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PICTURES: Final = ROOT / "docs" / "pictures"
LANGUAGES: Final = {"en": "en-GB", "ko": "ko-KR"}
WINDOWS: Final = ((1280, 800), (390, 844))
USERS: Final[dict[str, Role]] = {"Ann Lee": "admin", "Shift leader": "operator", "Reception": "viewer"}
ZONES: Final = """    zones:
      gate-zone:
        name: Main gate
        polygon: [[0.03, 0.5], [0.97, 0.5], [0.97, 0.96], [0.03, 0.96]]
      cabin:
        name: Site office
        polygon: [[0.03, 0.12], [0.36, 0.12], [0.36, 0.49], [0.03, 0.49]]
        exempt: true
"""


@contextmanager
def site_in_use() -> Iterator[Site]:
    """Serve six cameras: two with somebody who lacks something, one that is lost."""
    names = ("Gate", "Yard", "Dock", "Lift", "Stairs", "Roof")
    with tempfile.TemporaryDirectory() as folder, watched_site(Path(folder), *names, zones=ZONES, users=USERS) as site:
        site.show("gate", Worker(0.2), Worker(0.5, vest=False), Worker(0.8, 0.8, 0.3))
        site.show("yard", Worker(0.3), Worker(0.65, 0.85, 0.4))
        site.show("dock", Worker(0.55, helmet=False), Worker(0.75, 0.7, 0.22))
        site.show("lift", Worker(0.7, 0.9, 0.6))
        site.show("stairs", Worker(0.25, 0.7, 0.2), Worker(0.4, 0.75, 0.25), Worker(0.6, 0.8, 0.33))
        time.sleep(10)
        site.kill("roof")
        time.sleep(14)
        yield site


def now(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/screen/now")
    page.wait_for_selector(".tile .frame:not(.empty)")
    page.wait_for_timeout(2500)


def large(page: Page, site: Site) -> None:
    now(page, site)
    page.click(".tile[data-camera=gate]")
    page.wait_for_selector(".legend")
    page.wait_for_timeout(1000)


def alert(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/screen/alerts")
    page.click(".row")
    page.wait_for_selector(".timeline")
    page.wait_for_timeout(2000)


def said(page: Page, site: Site) -> None:
    alert(page, site)
    page.click("[data-act=false]")


def reports(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/screen/reports")
    page.wait_for_selector(".figure")


def zones(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/screen/zones?camera=gate")
    page.wait_for_selector(".canvas:not(.empty)")
    page.locator(".zone-list button").first.click()
    page.click("input[name=require][value=vest]")
    page.locator(".foreseen table").wait_for(timeout=90_000)
    page.evaluate("scrollTo(0, 0)")


def cameras(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/screen/cameras?camera=gate")
    page.click("#try")
    page.locator(".trial img").wait_for(timeout=60_000)


def tried(page: Page, site: Site) -> None:
    photo = with_workers(yard(), Worker(0.2), Worker(0.5, vest=False), Worker(0.8, 0.8, 0.3, helmet=False))
    page.goto(f"{site.url}/screen/try")
    content = cv2.imencode(".jpg", photo)[1].tobytes()
    page.set_input_files("#file", {"name": "yard.jpg", "mimeType": "image/jpeg", "buffer": content})
    page.wait_for_selector(".people .person")


def access(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/screen/access")
    page.locator("[data-key]").first.wait_for()


def signin(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/screen/signin")
    page.wait_for_selector("#key")


def enter(page: Page, site: Site) -> None:
    """Sign in as the first of the users."""
    signin(page, site)
    page.fill("#name", next(iter(USERS)))
    page.fill("#key", PASSWORD)
    page.click("form button")
    page.wait_for_url("**/screen/now")


PAGES: Final[dict[str, Callable[[Page, Site], None]]] = {
    one.__name__: one for one in (signin, now, large, alert, said, reports, zones, cameras, access, tried)
}
KEPT: Final = {"now": WINDOWS[0], "zones": WINDOWS[0], "alert": WINDOWS[1]}


def everything(browser: Browser, site: Site, out: Path, scheme: str) -> bool:
    """Take all pages; tell whether all is well with them."""
    well = True
    for language, locale in LANGUAGES.items():
        for width, height in WINDOWS:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                locale=locale,
                color_scheme=scheme,  # type: ignore[arg-type]
            )
            page = context.new_page()
            seen = Seen(page)
            wider = []
            for name, show in PAGES.items():
                show(page, site)
                wider += [name] if page.evaluate("document.documentElement.scrollWidth > innerWidth") else []
                page.screenshot(path=out / f"{name}-{language}-{width}-{scheme}.png", full_page=True)
                if show is signin:
                    enter(page, site)
            context.close()
            well = well and not (wider or seen.faults or seen.left)
            print(f"{language} {width}: wider {wider}, faults {seen.faults}, left {seen.left}")
    return well


def docs(browser: Browser, site: Site) -> bool:
    """Write the pictures of docs/screen.md."""
    PICTURES.mkdir(exist_ok=True)
    for name, (width, height) in KEPT.items():
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale=LANGUAGES["en"], color_scheme="light"
        )
        page = context.new_page()
        enter(page, site)
        PAGES[name](page, site)
        shot = Pillow.open(io.BytesIO(page.screenshot())).convert("RGB")
        few = shot.quantize(256, method=Pillow.Quantize.MEDIANCUT, kmeans=3, dither=Pillow.Dither.NONE)
        few.save(PICTURES / f"{name}.png", optimize=True)
        context.close()
        print(f"{name}.png {(PICTURES / f'{name}.png').stat().st_size // 1000} kB")
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder for all of them")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--docs", action="store_true")
    options = parser.parse_args()
    if options.docs == bool(options.out):
        parser.error("say --out FOLDER or --docs")
    with browsing() as browser, site_in_use() as site:
        if options.docs:
            return 0 if docs(browser, site) else 1
        options.out.mkdir(parents=True, exist_ok=True)
        return 0 if everything(browser, site, options.out, "dark" if options.dark else "light") else 1


if __name__ == "__main__":
    sys.exit(main())
