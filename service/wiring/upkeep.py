"""A site is changed while it is watched: the file first, then the cameras that it concerns, and no other."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import structlog

from service.safety.site import Scene
from service.sitefile import SiteFile, SiteFileError, missing_secrets, parse_site, site_text
from service.sitefile.editing import entry_of, with_camera
from service.upkeep import Changed, ChangeRefused
from service.wiring.cameras import bad_sources

log = structlog.get_logger("site")


class Cameras(Protocol):
    """What watches cameras."""

    def watch(self, site: SiteFile, camera: str) -> None:
        """Watch a camera as a site says; one that is watched is watched anew."""
        ...

    def drop(self, site: SiteFile, camera: str) -> None:
        """Watch a camera no more, and end its open alerts."""
        ...


class LiveSite:
    """`upkeep.SiteUpkeep` over a file and the cameras that are watched.

    Args:
        site: as it was read.
        path: the file; None where there is none, and nothing can be changed.
        cameras: who watches, and has begun to.
    """

    def __init__(self, site: SiteFile, path: Path | None, cameras: Cameras) -> None:
        self._site = site
        self._path = path
        self._cameras = cameras
        self._lock = threading.Lock()
        self._version = _digest(self._text()) if path else ""

    @property
    def site(self) -> SiteFile:
        """The site as it is in effect."""
        return self._site

    @property
    def version(self) -> str:
        """A digest of the site file as it is in effect."""
        return self._version

    def entry(self, camera: str) -> Mapping[str, Any] | None:
        """Return what the site file says of a camera; None: it has no such camera."""
        entry = self._site.cameras.get(camera)
        return None if entry is None else entry_of(entry)

    def put(self, camera: str, entry: Mapping[str, Any], version: str | None = None) -> Changed:
        """Add or change a camera, in the file and at work; see `upkeep.SiteUpkeep`."""
        return self._edit(camera, entry, version)

    def scene(self, camera: str, entry: Mapping[str, Any]) -> Scene:
        """Return by what a camera would be judged; see `upkeep.SiteUpkeep`."""
        with self._lock:
            text = self._text()
        return self._read(with_camera(text, camera, entry)).scene(camera)

    def remove(self, camera: str, version: str | None = None) -> Changed:
        """Take a camera away; see `upkeep.SiteUpkeep`."""
        return self._edit(camera, None, version)

    def reload(self) -> Changed:
        """Read the file again; see `upkeep.SiteUpkeep`."""
        with self._lock:
            text = self._text()
            return self._apply(self._read(text), text)

    def _edit(self, camera: str, entry: Mapping[str, Any] | None, version: str | None) -> Changed:
        with self._lock:
            text = self._text()
            if _digest(text) != self._version or version not in (None, self._version):
                raise ChangeRefused(
                    "changed", "The site file is another one than was read: read it again, then change what is there."
                )
            edited = with_camera(text, camera, entry)
            site = self._read(edited)
            if (camera in site.cameras) is (entry is None):
                raise ChangeRefused(
                    "invalid",
                    f"The site file's entry of camera {camera!r} can't be edited: write its id in quotes there.",
                )
            self._write(edited)
            return self._apply(site, edited)

    def _read(self, text: str) -> SiteFile:
        """Read a text and make sure that it can be watched as it says."""
        try:
            site = parse_site(text, self._path or Path("site.yaml"))
        except SiteFileError as error:
            raise ChangeRefused("invalid", "; ".join(f"{one.where}: {one.what}" for one in error.mistakes)) from None
        absent = missing_secrets(site)
        wrong = bad_sources(site) + [f"set the environment variable {name} before it is named" for name in absent]
        if wrong:
            raise ChangeRefused("invalid", "; ".join(wrong))
        return site

    def _apply(self, site: SiteFile, text: str) -> Changed:
        before, self._site, self._version = self._site, site, _digest(text)
        removed = tuple(one for one in before.cameras if one not in site.cameras)
        added = tuple(one for one in site.cameras if one not in before.cameras)
        changed = tuple(one for one in site.cameras if one in before.cameras and _work(before, one) != _work(site, one))
        for camera in removed:
            self._cameras.drop(site, camera)
        for camera in (*changed, *added):
            self._cameras.watch(site, camera)
        now = _at_once(before)
        later = tuple(
            part for part in SiteFile.model_fields if part not in now and getattr(before, part) != getattr(site, part)
        )
        log.info("site.changed", added=added, changed=changed, removed=removed, at_next_start=later)
        return Changed(self._version, added, changed, removed, later)

    def _text(self) -> str:
        if self._path is None:
            raise ChangeRefused("unwritable", "This site was not read from a file.")
        try:
            return site_text(self._path)
        except SiteFileError as error:
            raise ChangeRefused("unwritable", "; ".join(one.what for one in error.mistakes)) from None

    def _write(self, text: str) -> None:
        """Put the text into the file's place, whole or not at all."""
        path = (self._path or Path()).resolve()  # a link stays one
        beside = path.with_name(f".{path.name}.new")
        try:
            mode = path.stat().st_mode
            with beside.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.chmod(mode & 0o7777)
            beside.replace(path)
        except OSError as error:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            raise ChangeRefused("unwritable", f"The site file can't be written ({error.strerror}).") from None


def _work(site: SiteFile, camera: str) -> tuple[object, ...]:
    """Return all that decides how a camera is watched."""
    return site.cameras[camera], site.scene(camera), site.name, site.blur_faces


def _at_once(site: SiteFile) -> set[str]:
    """Return the parts of a site file of which a change is in effect at once, and not at the next start.

    Who is told has schedules in the site's time zone, and letters to people have its name in them.
    """
    told = bool(site.receivers or site.listeners or site.broker)
    waits = ({"time_zone"} if told else set()) | ({"name"} if site.listeners else set())
    return {"name", "time_zone", "policy", "blur_faces", "cameras"} - waits


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
