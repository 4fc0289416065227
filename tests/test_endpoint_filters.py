"""Who is told of what: the filters of an endpoint in the site file, and every mistake in them with its line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from service.events import EVENTS, Origin, alert_message, camera_message, cannot_judge_message
from service.ports import CameraState, EventType, Message
from service.safety.alerts import AlertChange
from service.safety.coverage import CannotJudge
from service.safety.moment import Moment
from service.sitefile import SiteFile, SiteFileError, missing_secrets, parse_site
from service.wiring.telling import endpoints_of, senders_of
from tests.delivery.scripted import OTHER, SECRET, RealClock, always, receiving, status
from tests.store.made import alert, ended

HERE = Path("site.yaml")
SITE = """\
time_zone: Asia/Seoul
cameras:
  gate:
    source: a.mp4
    zones:
      yard: {polygon: [[0, 0], [1, 0], [1, 1]]}
      dock: {polygon: [[0, 0], [1, 0], [1, 1]]}
  roof: b.mp4
endpoints:
  office:
    url: https://example.org/hook
    secret_env: NEW
"""
MONDAY_MS = 1_750_028_400_000
"""2025-06-16 08:00 in Seoul, a Monday."""
HOUR_MS = 3_600_000


def site(*lines: str) -> SiteFile:
    """Return the site whose endpoint has these lines too, from line 13 on."""
    return parse_site(SITE + "".join(f"    {line}\n" for line in lines), HERE)


def fired(at_ms: int = MONDAY_MS, camera: str = "gate", **other: object) -> Message:
    at = Moment(at_ms / 1000, at_ms)
    one = replace(alert(1, camera), since=at, fired=at, seen=at, **other)
    return alert_message(AlertChange("fired", one, at), origin(camera), 1280, 720)


def resolved(at_ms: int, ended_ms: int) -> Message:
    at, end = Moment(at_ms / 1000, at_ms), Moment(ended_ms / 1000, ended_ms)
    one = replace(ended(replace(alert(1), since=at, fired=at)).alert, seen=end, ended=end)
    return alert_message(AlertChange("resolved", one, end), origin("gate"), 1280, 720)


def lost(at_ms: int = MONDAY_MS, camera: str = "gate", status: str = "offline") -> Message:
    return camera_message(CameraState(status, Moment(at_ms / 1000, at_ms)), origin(camera))  # type: ignore[arg-type]


def blind(equipment: str = "vest", begins: bool = True, at_ms: int = MONDAY_MS) -> Message:
    change = CannotJudge("gate", equipment, begins, 0.9, 400.0, Moment(at_ms / 1000, at_ms))  # type: ignore[arg-type]
    return cannot_judge_message(change, origin("gate"))


def origin(camera: str) -> Origin:
    return Origin(parse_site(SITE, HERE).scene(camera))


def takes(message: Message, *lines: str) -> bool:
    return site(*lines).wants("office")(message)


def test_the_types_that_a_filter_knows_are_the_types_that_there_are() -> None:
    assert set(get_args(EventType)) == {event.model_fields["type"].default for event in EVENTS}


def test_without_filters_everything_is_sent() -> None:
    assert all(takes(one) for one in (fired(), resolved(MONDAY_MS, MONDAY_MS + 1), lost(), blind()))


@pytest.mark.parametrize(
    ("line", "taken", "left"),
    [
        ("events: [alert.fired, camera.offline]", [fired(), lost()], [resolved(1, 2), lost(status="live"), blind()]),
        ("cameras: [gate]", [fired(), lost(), blind()], [fired(camera="roof"), lost(camera="roof")]),
        ("zones: [yard]", [fired(), lost(), blind()], [fired(zone="dock"), fired(camera="roof", zone="whole-picture")]),
        ("zones: [whole-picture]", [fired(camera="roof", zone="whole-picture")], [fired()]),
        ("severity: [high]", [fired(), lost(), blind()], [fired(severity="low"), fired(severity="medium")]),
        ("equipment: [helmet]", [fired(), lost(), blind("helmet")], [fired(equipment="vest"), blind("vest")]),
    ],
)
def test_a_filter_takes_what_it_names_and_what_it_can_not_be_about(
    line: str, taken: list[Message], left: list[Message]
) -> None:
    assert all(takes(one, line) for one in taken)
    assert not any(takes(one, line) for one in left)


def test_what_all_filters_take_is_sent() -> None:
    lines = ("cameras: [gate]", "zones: [yard]", "equipment: [helmet]", "events: [alert.fired]")
    assert takes(fired(), *lines)
    assert not takes(fired(zone="dock"), *lines)
    assert not takes(fired(equipment="vest"), *lines)


DAY = ("schedule:", "  - {days: [mon, tue], from: 07:00, to: 18:00}")


@pytest.mark.parametrize(
    ("hour", "sent"), [(-1.001, False), (-1, True), (0, True), (9.999, True), (10, False), (24, True), (48, False)]
)
def test_a_schedule_is_of_the_site_s_time_zone(hour: float, sent: bool) -> None:
    at_ms = MONDAY_MS + round(hour * HOUR_MS)
    assert [takes(one, *DAY) for one in (fired(at_ms), lost(at_ms), blind(at_ms=at_ms))] == [sent] * 3


@given(st.integers(0, 14 * 24 * 60), st.integers(0, 3 * 24 * 60))
def test_who_is_told_of_an_alert_hears_of_its_end_and_nobody_else(minute: int, lasts: int) -> None:
    at_ms = MONDAY_MS + 60_000 * minute
    told = takes(fired(at_ms), *DAY)
    assert takes(resolved(at_ms, at_ms + 60_000 * lasts), *DAY) == told


def test_that_something_is_over_is_told_at_every_hour() -> None:
    night_ms = MONDAY_MS + 15 * HOUR_MS
    assert takes(lost(night_ms, status="live"), *DAY)
    assert takes(blind(begins=False, at_ms=night_ms), *DAY)
    assert not takes(lost(night_ms), *DAY)


BAD = [
    (("events: [alert.fire]",), 13, "endpoints.office.events.0", "'alert.fired', 'alert.updated'"),
    (("events: alert.fired",), 13, "endpoints.office.events", "should be a list"),
    (("events: []",), 13, "endpoints.office.events", "leave it out to take all"),
    (("cameras: []",), 13, "endpoints.office.cameras", "leave it out to take all"),
    (("cameras:", "  - gate", "  - gaet"), 15, "endpoints.office.cameras.1", "no camera 'gaet', only gate, roof"),
    (("cameras: [Gate 1]",), 13, "endpoints.office.cameras.0", "should match pattern"),
    (("zones: [yrad]",), 13, "endpoints.office.zones.0", "no zone 'yrad', only yard, dock, whole-picture"),
    (("cameras: [roof]", "zones: [yard]"), 14, "zones.0", "no zone 'yard' of its cameras, only whole-picture"),
    (("equipment: [shoes]",), 13, "endpoints.office.equipment.0", "'helmet' or 'vest', got 'shoes'"),
    (("schedule: [{from: 7}]",), 13, "office.schedule.0.from", "such as 07:00"),
    (("schedule: [{days: []}]",), 13, "office.schedule", "never holds"),
    (("schedule: [{from: '07:00Z'}]",), 13, "office.schedule", "times are local"),
    (("previous_secret_env: whsec_geheim",), 13, "office.previous_secret_env", "this is the secret itself"),
    (("secrets: [A, B]",), 13, "office.secrets", "unknown key"),
]


@pytest.mark.parametrize(("lines", "line", "where", "what"), BAD, ids=[row[3][:30] for row in BAD])
def test_every_mistake_has_a_line_and_a_mend(lines: tuple[str, ...], line: int, where: str, what: str) -> None:
    with pytest.raises(SiteFileError) as caught:
        site(*lines)
    (mistake,) = caught.value.mistakes
    assert mistake.line == line
    assert mistake.where.endswith(where)
    assert what in mistake.what
    assert "geheim" not in str(mistake)


def test_both_secrets_are_needed_while_they_are_rotated() -> None:
    read = site("previous_secret_env: OLD")
    assert read.endpoints["office"].secrets_env == ("NEW", "OLD")
    assert missing_secrets(read, {"NEW": "x"}) == ["OLD"]


def test_filters_and_both_secrets_reach_who_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEW", OTHER)
    monkeypatch.setenv("OLD", SECRET)
    with receiving(always(status(200))) as receiver:
        text = SITE.replace("https://example.org/hook", receiver.url) + "    lan: true\n    zones: [yard]\n"
        read = parse_site(text + "    previous_secret_env: OLD\n", HERE)
        (endpoint,) = endpoints_of(read)
        assert (endpoint.name, endpoint.wants(fired()), endpoint.wants(fired(zone="dock"))) == ("office", True, False)
        assert senders_of(read, RealClock())["office"].send(fired()).done
    for secret in (SECRET, OTHER):
        assert Webhook(secret).verify(receiver.requests[0].body, receiver.requests[0].headers)
    assert endpoints_of(read.model_copy(update={"mode": "observe"})) == []


def test_an_address_is_told_from_another_and_not_told() -> None:
    one = site().endpoints["office"]
    moved = one.model_copy(update={"url": "https://example.org/hook2"})
    assert one.address == site("lan: true").endpoints["office"].address != moved.address
    assert "example" not in one.address
