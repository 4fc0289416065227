"""``ppe watch``: cameras of a site file, or one recorded film."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import structlog
import typer

from service.cli.opening import detector_for, secrets_of, settings_for
from service.cli.self_test import testing
from service.cli.terminal import out, refuse, say
from service.upkeep import ChangeRefused

if TYPE_CHECKING:
    from service.events import Origin
    from service.sitefile import SiteFile
    from service.wiring import Running

EXAMPLES = """Examples:

`ppe watch site.yaml` watches every camera of the file until Ctrl-C

`ppe watch --source yard.mp4` judges a film and prints every alert

`ppe watch site.yaml --camera gate --source yard.mp4 --save judged.mp4` with the gate's zones, as a film
"""


def site_from(path: Path) -> SiteFile:
    """Read a site file; every mistake in it is printed, and the command ends."""
    from service.sitefile import SiteFileError, read_site

    try:
        return read_site(path)
    except SiteFileError as error:
        for mistake in sorted(error.mistakes, key=lambda mistake: mistake.line):
            say(f"{path}: {mistake}")
        refuse(f"{path} has {len(error.mistakes)} mistake{'s' * (len(error.mistakes) != 1)}; nothing was started")


def watch(
    ctx: typer.Context,
    site: Annotated[Path | None, typer.Argument(help="Site file (YAML).", show_default=False)] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="A recorded film or a folder of pictures, judged in its own time.")
    ] = None,
    camera: Annotated[
        str | None, typer.Option(help="The site file's camera whose zones the film is judged by.")
    ] = None,
    fps: Annotated[float | None, typer.Option(min=1, max=30, help="Frames a second that are judged.")] = None,
    start_time: Annotated[
        str | None, typer.Option(metavar="ISO", help="When the film began, such as 2026-11-24T08:00:00+09:00.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON event a line, as webhooks carry them.")] = False,
    save: Annotated[Path | None, typer.Option(help="Write the annotated film (H.264 MP4).")] = None,
    record: Annotated[Path | None, typer.Option(help="Keep the detections (JSON lines) for ppe replay.")] = None,
) -> None:
    """Watch cameras and raise alerts; or judge one recorded film."""
    if source is not None:
        _film(ctx, site_from(site) if site else None, source, camera, fps, start_time, as_json, save, record)
    elif site is None:
        refuse("give a site file to watch its cameras, or --source FILE to judge a film; see ppe watch --help")
    else:
        _cameras(ctx, site_from(site), site)


def _cameras(ctx: typer.Context, site: SiteFile, path: Path) -> None:
    from service.telemetry import configure_logging
    from service.wiring import WiringError, watching

    refuse_unready(site)
    settings = settings_for()
    configure_logging(settings.log_level, settings.log_format, secrets_of(site))
    detector = detector_for(ctx, settings)
    try:
        with (
            testing(settings, detector),
            stop_signals() as stop,
            watching(site, settings, detector, path) as running,
        ):
            reload_on_hangup(running)
            say(f"Watching {what_is_watched(site)}; Ctrl-C stops.")
            while not stop.is_set() and not running.wait(0.2):
                pass
    except WiringError as error:
        refuse(str(error))
    finally:
        detector.close()


def refuse_unready(site: SiteFile) -> None:
    """Leave when the environment lacks a secret that is needed, or a source, an endpoint or its secret is unusable."""
    from service.cli.findings import faults, later
    from service.sitefile import missing_secrets

    if missing := missing_secrets(site):
        refuse(f"set the environment variables that the site file names: {', '.join(missing)}")
    if wrong := [f"{'.'.join(keys)}: {what}" for keys, what in faults(site)]:
        refuse("; ".join(wrong))
    for keys, what in later(site):
        say(f"{'.'.join(keys)}: {what}")


def what_is_watched(site: SiteFile) -> str:
    """Name the cameras, and say whether anybody is told."""
    how = "observing, nothing is sent" if site.mode == "observe" else "alerting"
    return f"{', '.join(site.cameras)} ({how})"


def reload_on_hangup(running: Running) -> None:
    """Have SIGHUP read the site file again, where there are signals of that name; how it went is logged."""

    def reload() -> None:
        try:
            running.site.reload()
        except ChangeRefused as refused:
            structlog.get_logger("site").error("site.not_reloaded", fault=str(refused))

    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda *_: threading.Thread(target=reload, name="reload").start())


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """Give an event that SIGTERM and Ctrl-C set, in place of what they did before."""
    stop = threading.Event()
    before = {ending: signal.signal(ending, lambda *_: stop.set()) for ending in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for ending, handler in before.items():
            signal.signal(ending, handler)


def origin_for(site: SiteFile | None, camera: str | None, source: str) -> Origin:
    """Return whose zones a film is judged by: the named camera's, the only one's, or none."""
    from service.events import Origin
    from service.safety.site import Scene

    if site is None:
        name = re.sub(r"[^a-z0-9_-]+", "-", Path(source).stem.lower()).strip("-_")[:63] or "film"
        return Origin(Scene(camera=name), name)
    if camera is None and len(site.cameras) == 1:
        camera = next(iter(site.cameras))
    if camera not in site.cameras:
        refuse(f"--camera: name one of {', '.join(site.cameras)}")
    return Origin(site.scene(camera), site.cameras[camera].name, site.name)


def start_ms(text: str | None, time_zone: str) -> int:
    """Return a point in time as Unix milliseconds; a film without one begins at 0, so that every run is the same.

    A time without an offset is the site's.
    """
    if text is None:
        return 0
    try:
        begun = datetime.fromisoformat(text)
    except ValueError:
        refuse(f"--start-time: {text!r} is no ISO 8601 time, such as 2026-11-24T08:00:00+09:00")
    begun = begun if begun.tzinfo else begun.replace(tzinfo=ZoneInfo(time_zone))
    return round(begun.timestamp() * 1000)


def _film(
    ctx: typer.Context,
    site: SiteFile | None,
    source: str,
    camera: str | None,
    fps: float | None,
    began: str | None,
    as_json: bool,
    save: Path | None,
    record: Path | None,
) -> None:
    from service.cli.judged import CannotWrite, Judged, Lines
    from service.wiring import FilmError, judge_film

    origin = origin_for(site, camera, source)
    entry = site.cameras[origin.scene.camera] if site else None
    rate = fps or (entry.fps if entry else 5.0)
    begun = start_ms(began, origin.scene.time_zone)
    _refuse_overwriting(source, save, record)
    settings = settings_for()
    detector = detector_for(ctx, settings, entry.tiles if entry else settings.tiles)
    lines = Lines(origin, as_json, out())
    try:
        with Judged(origin, detector.model, rate, save, record) as judged:
            for one in judge_film(source, origin, detector, rate, begun):
                lines.print(one.observation, one.detections.width, one.detections.height)
                judged.add(one)
    except (FilmError, CannotWrite) as error:
        refuse(str(error))
    finally:
        detector.close()
    if not as_json:
        lines.summary()


def _refuse_overwriting(source: str, *targets: Path | None) -> None:
    """Leave when an output is the film itself, or two outputs are one file."""
    films = {Path(source).resolve()}
    for target in targets:
        if target is not None:
            if target.resolve() in films:
                refuse(f"{target} would be written over while it is read or written")
            films.add(target.resolve())
