"""What does it cost when somebody looks, and how soon is a page there?

    python -m benchmarks.screen [--cameras 8] [--seconds 60] [--width 1280] [--out FILE]

A service watches cameras of drawn yards at 5 frames a second; a detector that finds drawn workers stands in for the
model, whose work nobody's looking changes. CPU time of the service without its decoders is counted while nobody looks
and while a real Chromium shows the wall with a tile of each camera in view, turn about, in percent of a core. Then each
page is opened several times in a profile of its own, from the request until what it is for is there.

Prints JSON; exits with 1 where looking costs 15 % of a core or more, a page takes 1.5 s or longer, or anything left the
machine. Other work on the machine makes both figures worse, so it is told how busy it was.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.figures import tell
from tests.e2e.drawn import Worker, filmed, with_workers, yard
from tests.e2e.screens import Seen, Site, browsing, watched_site

LESS_THAN: Final = 15.0
WITHIN: Final = 1.5
TURNS: Final = 3
OPENED: Final = 5
THERE: Final = {
    "now": ".tile .frame:not(.empty)",
    "alerts": ".row img",
    "reports": ".figure",
    "zones": ".canvas:not(.empty)",
    "cameras": "#source",
    "try": ".drop",
}
"""Pages, and what is on each when it is there."""
COUNTED: Final = """
window.shown = 0;
for (const img of document.querySelectorAll(".tile img")) img.addEventListener("load", () => (window.shown += 1));
"""
"""Counts pictures that are shown on the wall."""


def _cpu(process: psutil.Process) -> float:
    used = process.cpu_times()
    return used.user + used.system


def _cost(process: psutil.Process, seconds: float) -> float:
    """Return percent of a core over some seconds."""
    began, before = time.monotonic(), _cpu(process)
    time.sleep(seconds)
    return 100 * (_cpu(process) - before) / (time.monotonic() - began)


def _looking(browser: Any, site: Site, process: psutil.Process, seconds: float) -> dict[str, list[float]]:
    alone: list[float] = []
    watched: list[float] = []
    rates: list[float] = []
    for _ in range(TURNS):
        alone.append(_cost(process, seconds))
        context = browser.new_context(viewport={"width": 1920, "height": 1200})
        page = context.new_page()
        page.goto(f"{site.url}/screen/now")
        for tile in range(len(site.cameras)):
            page.locator(".tile .frame:not(.empty)").nth(tile).wait_for()
        page.wait_for_timeout(3000)
        page.evaluate(COUNTED)
        began, before = time.monotonic(), _cpu(process)
        page.wait_for_timeout(1000 * seconds)
        spent = time.monotonic() - began
        watched.append(100 * (_cpu(process) - before) / spent)
        rates.append(page.evaluate("shown") / spent)
        context.close()
        time.sleep(2)
    return {"alone": alone, "watched": watched, "pictures_a_second": rates}


def _pages(browser: Any, site: Site) -> tuple[dict[str, list[float]], list[str]]:
    found: dict[str, list[float]] = {}
    left: list[str] = []
    for name, there in THERE.items():
        for _ in range(OPENED):
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            page = context.new_page()
            seen = Seen(page)
            began = time.monotonic()
            page.goto(f"{site.url}/screen/{name}", wait_until="commit")
            page.locator(there).first.wait_for()
            found.setdefault(name, []).append(time.monotonic() - began)
            left += seen.left
            context.close()
    return found, left


def measure(cameras: int, seconds: float, width: int) -> dict[str, object]:
    names = [f"Camera{number}" for number in range(1, cameras + 1)]
    size = (width, width * 9 // 16)
    with (
        browsing() as browser,
        tempfile.TemporaryDirectory() as folder,
        watched_site(Path(folder), *names, keyed=False) as site,
    ):
        parts = filmed(with_workers(yard(size), Worker(0.2), Worker(0.5, vest=False), Worker(0.8, 0.8, 0.3)))
        for camera in site.cameras.values():
            camera.parts, camera.every = parts, 0.2
        time.sleep(15)
        psutil.cpu_percent()
        looking = _looking(browser, site, psutil.Process(site.pid), seconds)
        busy = psutil.cpu_percent()
        pages, left = _pages(browser, site)
    more = statistics.median(looking["watched"]) - statistics.median(looking["alone"])
    slowest = {name: statistics.median(times) for name, times in pages.items()}
    return {
        "cameras": cameras,
        "picture": f"{size[0]}x{size[1]}",
        "cores": os.cpu_count(),
        "machine_busy_percent": round(busy, 1),
        "service_percent_of_a_core": {name: [round(one, 1) for one in looking[name]] for name in ("alone", "watched")},
        "pictures_a_second": [round(one, 1) for one in looking["pictures_a_second"]],
        "looking_costs_percent_of_a_core": round(more, 1),
        "page_there_s": {name: round(seconds, 2) for name, seconds in slowest.items()},
        "left_the_machine": left,
        "sound": more < LESS_THAN and max(slowest.values()) < WITHIN and not left,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    result = measure(options.cameras, options.seconds, options.width)
    tell(result, options.out)
    return 0 if result["sound"] else 1


if __name__ == "__main__":
    sys.exit(main())
