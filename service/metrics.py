"""What is counted and timed, for Prometheus. Each application has instruments of its own, and none is global.

Names follow prometheus.io/docs/practices/naming. Labels come from the site file's ids, from route templates and from
closed lists, never from what a request says, so their number is known when the service starts. docs/operating.md lists
every name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, ProcessCollector

from service.safety.alerts import AlertChange, Kind
from service.safety.equipment import EQUIPMENT

Skipped = Literal["still", "busy", "unseeing", "detector", "late"]
"""Why a frame that was read was not judged: nothing moved on an empty scene, other cameras have their turn, the camera
does not see, the detector does not answer, or time had gone on already."""
Outcome = Literal["delivered", "failed", "dead", "gone"]
"""How an attempt to deliver ended: failed is tried again, dead never, and gone stands for an endpoint's 410."""

_SKIPPED: Final[tuple[Skipped, ...]] = ("still", "busy", "unseeing", "detector", "late")
_OUTCOMES: Final[tuple[Outcome, ...]] = ("delivered", "failed", "dead", "gone")
_KINDS: Final[tuple[Kind, ...]] = ("fired", "updated", "resolved", "lost_sight")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_DETECTOR: Final = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 20.0)
_DELAY: Final = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 30.0)
_DELIVERY: Final = (
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
    300.0,
    1800.0,
    3600.0,
    21_600.0,
    86_400.0,
    259_200.0,
)


class _Registry(CollectorRegistry):
    """A registry that leaves out when each series was made: as many series again, which nobody asks for."""

    def collect(self) -> Iterator[Metric]:
        for family in super().collect():
            family.samples = [one for one in family.samples if not one.name.endswith("_created")]
            yield family


class Metrics:
    """The instruments of one application. Any thread may use them.

    Attributes:
        registry: what they, and those of the process, are collected from.
        dropped_listeners: event streams whose client did not take what it was sent.
    """

    def __init__(self) -> None:
        self.registry = registry = _Registry()
        ProcessCollector(registry=registry)
        self._requests = Histogram(
            "ppe_http_request_duration_seconds",
            "Time from a request's head to the end of its answer; event streams are not in it.",
            ("route", "method", "status"),
            buckets=_REQUEST,
            registry=registry,
        )
        self._images = Counter(
            "ppe_images", "Pictures of requests, by outcome: judged, or why not.", ("outcome",), registry=registry
        )
        self._images.labels("judged")
        self._passes = Histogram(
            "ppe_detector_inference_duration_seconds",
            "Time of one pass of the model: over a picture, a tile, or a person who is looked at closer.",
            buckets=_DETECTOR,
            registry=registry,
        )
        self._asked = Histogram(
            "ppe_detector_request_duration_seconds",
            "Time from a picture's way to the detector to its answer, the wait for its turn included.",
            buckets=_DETECTOR,
            registry=registry,
        )
        self.detecting = Gauge(
            "ppe_detector_requests_in_progress",
            "Pictures that the detector works on or has waiting.",
            registry=registry,
        )
        self._failures = Counter(
            "ppe_detector_failures", "Pictures that the detector failed on or refused.", registry=registry
        )
        self.dropped_listeners = Counter(
            "ppe_event_listeners_dropped", "Event streams that were cut: their client was too slow.", registry=registry
        )
        self._cameras = _Cameras(registry)
        self._attempts = Counter(
            "ppe_delivery_attempts",
            "Attempts to deliver to a webhook, to people or to a broker.",
            ("endpoint", "outcome"),
            registry=registry,
        )
        self._latency = Histogram(
            "ppe_delivery_latency_seconds",
            "Time from what happened to a receiver's 2xx, retries and replays included.",
            ("endpoint",),
            buckets=_DELIVERY,
            registry=registry,
        )

    def request(self, route: str | None, method: str, status: int, seconds: float) -> None:
        """Count a request that was answered; `route` is the template of its route, None when it has none."""
        known = method if method in _METHODS else "other"
        self._requests.labels(route or "other", known, f"{status // 100}xx").observe(seconds)

    def image(self, outcome: str) -> None:
        """Count a picture of a request; the outcome is judged or a code of a closed list."""
        self._images.labels(outcome).inc()

    def inferred(self, seconds: float) -> None:
        """Count a pass of the model."""
        self._passes.observe(seconds)

    def detected(self, seconds: float, *, failed: bool) -> None:
        """Count a picture that the detector has answered, be it with a fault."""
        self._asked.observe(seconds)
        if failed:
            self._failures.inc()

    def camera(self, camera: str) -> CameraMetrics:
        """Return the instruments of a camera of the site; all its series begin at 0, or go on."""
        return CameraMetrics(self._cameras, camera)

    def forget(self, camera: str) -> None:
        """Tell no more of a camera that the site has no more."""
        self._cameras.forget(camera)

    def expect(self, endpoints: Iterable[str]) -> None:
        """Let the series of endpoints begin at 0."""
        for endpoint in endpoints:
            self._latency.labels(endpoint)
            for outcome in _OUTCOMES:
                self._attempts.labels(endpoint, outcome)

    def attempted(self, endpoint: str, outcome: Outcome, seconds: float) -> None:
        """Count an attempt to deliver, so many seconds after what it tells of."""
        self._attempts.labels(endpoint, outcome).inc()
        if outcome == "delivered":
            self._latency.labels(endpoint).observe(max(0.0, seconds))


class _Cameras:
    """What is counted of cameras."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, meaning: str, *labels: str) -> Counter:
            return Counter(f"ppe_camera_{name}", meaning, ("camera", *labels), registry=registry)

        self.read = counter("frames_read", "Frames that a camera's watch was handed.")
        self.dropped = counter("frames_dropped", "Frames that were handed to nobody: more came than were wanted.")
        self.skipped = counter("frames_skipped", "Frames that were read and not judged, by reason.", "reason")
        self.judged = counter("frames_judged", "Frames that were judged.")
        self.delay = Histogram(
            "ppe_camera_judged_delay_seconds",
            "Age of frames, from their capture to their judgement.",
            ("camera",),
            buckets=_DELAY,
            registry=registry,
        )
        self.failures = counter("detector_failures", "Failures of the detector on a camera's frames.")
        self.deaths = counter("watch_failures", "Times that a camera's watch failed and was started again.")
        self.changes = Counter(
            "ppe_alert_changes",
            "Changes of alerts: fired, updated (seen again), resolved (worn), lost_sight.",
            ("camera", "equipment", "kind"),
            registry=registry,
        )

    def forget(self, camera: str) -> None:
        for family in (self.read, self.dropped, self.skipped, self.judged, self.failures, self.deaths, self.changes):
            family.remove_by_labels({"camera": camera})
        self.delay.remove_by_labels({"camera": camera})


class CameraMetrics:
    """The instruments of one camera. Its watch owns them; the exposition reads them at any time."""

    def __init__(self, cameras: _Cameras, camera: str) -> None:
        self._read = cameras.read.labels(camera)
        self._dropped = cameras.dropped.labels(camera)
        self._skipped = {reason: cameras.skipped.labels(camera, reason) for reason in _SKIPPED}
        self._judged = cameras.judged.labels(camera)
        self._delay = cameras.delay.labels(camera)
        self._failures = cameras.failures.labels(camera)
        self._deaths = cameras.deaths.labels(camera)
        self._changes = {
            (equipment, kind): cameras.changes.labels(camera, equipment, kind)
            for equipment in EQUIPMENT
            for kind in _KINDS
        }
        self._last = -1

    def read(self, number: int) -> None:
        """Count a frame by its number, and those before it that were handed to nobody."""
        self._read.inc()
        if 0 <= self._last < number:  # a source that is opened anew counts from the beginning
            self._dropped.inc(number - self._last - 1)
        self._last = number

    def judged(self, age: float) -> None:
        """Count a frame that was judged `age` seconds after its capture."""
        self._judged.inc()
        self._delay.observe(age)

    def skipped(self, reason: Skipped) -> None:
        """Count a frame that was read and not judged."""
        self._skipped[reason].inc()

    def failed(self) -> None:
        """Count a failure of the detector."""
        self._failures.inc()

    def died(self) -> None:
        """Count a failure of the watch."""
        self._deaths.inc()

    def changed(self, changes: Iterable[AlertChange]) -> None:
        """Count changes of alerts."""
        for change in changes:
            self._changes[change.alert.equipment, change.kind].inc()
