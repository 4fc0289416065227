"""What a camera was seen to see: asked of the running service, or read from its store while none runs.

One process owns a store (decision 0015), so a command that only looks asks that one over HTTP, as anybody would.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias
from urllib.parse import quote

from service.cli.opening import settings_for
from service.cli.terminal import refuse, say

if TYPE_CHECKING:
    import httpx

    from service.recording import Heading
    from service.safety.detections import Detections
    from service.safety.moment import Moment
    from service.settings import Settings
    from service.store.store import Store

KEY_VARIABLE: Final = "PPE_API_KEY"
"""Environment variable with the API key that a running service is asked with; never an option: others see those."""
HOUR_MS: Final = 3_600_000
Frames: TypeAlias = "Iterator[tuple[Detections, Moment]]"


@dataclass(frozen=True, slots=True)
class Measured:
    """How large people were on a camera.

    Attributes:
        heights: pixels as the model saw them, by the lower edge of 10 px bins.
        seconds: person-seconds.
        needed: smallest heights, by equipment.
        size: width and height of the camera's pictures, and pixels that the model sees of the whole one for one of
            them; None when nobody knows.
        tiles: as the service is set; None when nobody knows.
    """

    heights: dict[int, int]
    seconds: float
    needed: dict[str, float]
    size: tuple[int, int, float] | None
    tiles: int | None


class Seen(Protocol):
    """What can be asked."""

    def recording(self, camera: str) -> tuple[Heading, Frames]:
        """Return a camera's recorded detections; the heading has a scene where the service told it."""
        ...

    def heights(self, camera: str, hours: int) -> Measured:
        """Return how large people were in the last hours."""
        ...

    def picture(self, camera: str) -> bytes | None:
        """Return the newest annotated evidence picture of a camera as JPEG, or None."""
        ...


@contextmanager
def asked(store: Path | None, service: str | None) -> Iterator[Seen]:
    """Look into a store, which a service may have open: then that one is asked.

    Args:
        store: the store's folder; None is the settings'.
        service: address of a service to ask, whatever the store does.
    """
    from service.store.address import address_of
    from service.store.errors import StoreError
    from service.store.store import Store
    from service.telemetry import configure_logging

    settings = settings_for(store=store)
    if service is not None:
        with _client(service) as client:
            yield OfService(client)
        return
    configure_logging("warning", settings.log_format)
    if not settings.database and not (settings.store / "ppe.db").is_file():
        refuse(f"there is no store in {settings.store}; name it with --store, or a running service with --service")
    try:
        opened = Store(settings.store, (), address=address_of(settings))
    except StoreError as error:
        if error.code != "STORE_LOCKED":
            refuse(str(error))
        address = _address(settings)
        say(f"the store is in use: asking the service at {address} (--service names another)")
        with _client(address) as client:
            yield OfService(client)
        return
    try:
        with opened:
            yield OfStore(opened, settings)
    except StoreError as error:
        refuse(str(error))


def _address(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - what was listened on
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


@contextmanager
def _client(address: str) -> Iterator[httpx.Client]:
    import httpx

    key = os.environ.get(KEY_VARIABLE, "")
    try:
        with httpx.Client(
            base_url=address, headers={"X-API-Key": key} if key else {}, timeout=60.0, trust_env=False
        ) as client:
            yield client
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        refuse(f"--service: {address!r} is no address, such as http://127.0.0.1:8000")
    except httpx.HTTPError as error:
        refuse(
            f"no service answers at {address} ({type(error).__name__}); name it with --service. ppe watch answers no "
            "HTTP: stop it, or run ppe serve --site instead"
        )


class OfService:
    """`Seen` of a running service."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def recording(self, camera: str) -> tuple[Heading, Frames]:
        """Fetch the recording, whole, and read it."""
        from service.recording import RecordingError, read_recording

        with TemporaryDirectory() as folder:
            file = Path(folder) / "recording.jsonl"
            with (
                self._client.stream("GET", f"/v1/cameras/{quote(camera, safe='')}/recording") as answer,
                file.open("wb") as kept,
            ):
                if not answer.is_success:
                    answer.read()
                    _refuse_for(answer)
                for part in answer.iter_bytes():
                    kept.write(part)
            try:
                heading, frames = read_recording(file)
            except RecordingError as error:
                refuse(f"the service answers with something else than a recording ({error})")
            return heading, iter(list(frames))

    def heights(self, camera: str, hours: int) -> Measured:
        """Ask for the heights."""
        found = self._json(f"/v1/cameras/{quote(camera, safe='')}/heights", hours=hours)
        known = None not in {found["width"], found["height"], found["scale"]}
        return Measured(
            {one["from_px"]: one["seen"] for one in found["heights"]},
            found["person_seconds"],
            found["needed_px"],
            (found["width"], found["height"], found["scale"]) if known else None,
            found["tiles"],
        )

    def picture(self, camera: str) -> bytes | None:
        """Ask for the newest alert that has a picture."""
        for alert in self._json("/v1/alerts", camera=camera, limit=20)["alerts"]:
            if path := alert["evidence"]["annotated"]:
                answer = self._client.get(path)
                if answer.is_success:
                    return answer.content
        return None

    def _json(self, path: str, **query: Any) -> Any:
        answer = self._client.get(path, params=query)
        if not answer.is_success:
            _refuse_for(answer)
        return answer.json()


class OfStore:
    """`Seen` of a store that no service has open."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def recording(self, camera: str) -> tuple[Heading, Frames]:
        """Read the recording. The store does not know the scene."""
        from service.recording import Heading, continued

        model = self._model()
        return Heading(camera, f"{model.name} {model.version}", model.thresholds), continued(
            self._store.recording(camera)
        )

    def heights(self, camera: str, hours: int) -> Measured:
        """Read the heights; the size of pictures is that of the newest recorded frame."""
        import time

        from service.inquiry import Span

        until = time.time_ns() // 1_000_000 + 1
        since = until - hours * HOUR_MS
        shares = self._store.compliance(Span(since, until, camera), ["equipment"])
        newest = None
        for _, newest in self._store.recording(camera):  # noqa: B007 - the last one is wanted
            pass
        return Measured(
            self._store.heights(camera, since, until),
            max((one.worn + one.missing + one.unknown for one in shares), default=0.0),
            dict(self._model().thresholds.minimum_height),
            (newest.width, newest.height, newest.scale) if newest else None,
            None,
        )

    def picture(self, camera: str) -> bytes | None:
        """Read the newest alert that has a picture."""
        for alert in self._store.alerts(20, camera=camera):
            if jpeg := self._store.picture(alert.id, "annotated"):
                return jpeg
        return None

    def _model(self) -> Any:
        from service.detectors.manifest import WeightsError, read_manifest

        try:
            return read_manifest(self._settings.weights)
        except WeightsError as error:
            refuse(str(error))


def _refuse_for(answer: httpx.Response) -> None:
    """Say why a service refuses, in its words."""
    try:
        problem = answer.json()
        what = f"{problem['code']}: {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        what = f"status {answer.status_code}"
    more = f"; set {KEY_VARIABLE} to a key with the scope read" if answer.status_code in {401, 403} else ""
    refuse(f"the service refuses: {what}{more}")
