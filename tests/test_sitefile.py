"""The site file: what it may say, that every mistake has a line and a mend, and that no mistake quotes a secret."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.safety.site import DAYS, AlertPolicy, Day, Scene, Shift, Zone
from service.sitefile import (
    LARGEST,
    SiteFile,
    SiteFileError,
    missing_secrets,
    parse_site,
    read_site,
)

HERE = Path("site.yaml")
SQUARE = "[[0, 0], [1, 0], [1, 1], [0, 1]]"
SECRET = "geheim42"

FULL = """\
name: Harbour
time_zone: Asia/Seoul
mode: observe
policy: {on_delay: 3, severity: {vest: high}}
cameras:
  gate:
    name: Gate
    source: rtsp://10.0.0.5/live
    fps: 2.5
    user: viewer
    password_env: GATE_PASSWORD
    policy:
      on_delay: 1
    zones:
      yard:
        polygon: [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]
        require: [helmet, {equipment: vest, absent_after: 4}]
        schedule:
          - {days: [mon, fri], from: 07:00, to: 12:30}
          - {from: 22:00, to: 06:00}
      office: {polygon: [[0.5, 0], [1, 0], [1, 1]], exempt: true}
  roof: clips/roof.mp4
endpoints:
  safety:
    url: https://example.org/hook
    secret_env: HOOK_SECRET
"""


def camera(*lines: str) -> str:
    """Return a file with one camera; `lines` follow its source, from line 4 on."""
    return "\n".join(["cameras:", "  gate:", "    source: a.mp4", *(f"    {line}" for line in lines)]) + "\n"


def zone(*lines: str) -> str:
    """Return a file with one zone; `lines` are its own, from line 6 on."""
    return camera("zones:", "  yard:", *(f"    {line}" for line in lines))


def mistakes(text: str) -> list[tuple[int, str, str]]:
    """Return what is wrong with a file; nothing when nothing is."""
    try:
        parse_site(text, HERE)
    except SiteFileError as error:
        return [(mistake.line, mistake.where, mistake.what) for mistake in error.mistakes]
    return []


def test_the_least_file() -> None:
    site = parse_site("cameras:\n  gate: rtsp://10.0.0.5/live\n", HERE)
    assert site.cameras["gate"].source == "rtsp://10.0.0.5/live"
    assert (site.name, site.time_zone, site.mode, site.endpoints) == ("site", "UTC", "alert", {})
    assert site.scene("gate") == Scene(camera="gate")


def test_a_full_file() -> None:
    site = parse_site(FULL, HERE)
    scene = site.scene("gate")
    assert (scene.camera, scene.time_zone, scene.policy.on_delay) == ("gate", "Asia/Seoul", 1.0)
    assert scene.policy.severity == {"helmet": "high", "vest": "medium"}
    yard, office = scene.zones
    assert (yard.id, [one.absent_after for one in yard.require], office.exempt) == ("yard", [None, 4.0], True)
    assert site.scene("roof").policy == AlertPolicy(on_delay=3, severity={"vest": "high"})
    assert site.cameras["roof"].source == "clips/roof.mp4"


def test_times_stay_times() -> None:
    """YAML 1.1 reads 12:30 and 22:00 as numbers in base 60, and 07:00 as text."""
    day, night = parse_site(FULL, HERE).scene("gate").zones[0].schedule
    assert (day.start, day.end, day.days) == (time(7), time(12, 30), ("mon", "fri"))
    assert (night.start, night.end, night.days) == (time(22), time(6), DAYS)


@pytest.mark.parametrize("text", [FULL.replace("\n", "\r\n"), "\ufeff" + FULL, FULL + "# the end", f"---\n{FULL}...\n"])
def test_editors_write_files_in_their_own_ways(text: str, tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_bytes(text.encode("utf-8"))
    assert read_site(path) == parse_site(FULL, HERE)


BAD: list[tuple[str, int, str, str]] = [
    ("cameras: {}\n", 1, "cameras", "at least 1 item"),
    ("name: x\n", 1, "cameras", "is missing"),
    ("cameras:\n", 1, "cameras", "should be a mapping"),
    ("cameras: a.mp4\n", 1, "cameras", "should be a mapping"),
    ("camera:\n  gate: a.mp4\ncameras: {gate: a.mp4}\n", 1, "camera", "unknown key"),
    (camera("pasword_env: X"), 4, "cameras.gate.pasword_env", "unknown key"),
    (camera("fps: fast"), 4, "cameras.gate.fps", "valid number"),
    (camera("fps: 0"), 4, "cameras.gate.fps", "greater than or equal to 1"),
    (camera("fps: 31"), 4, "cameras.gate.fps", "less than or equal to 30"),
    (camera("fps: .nan"), 4, "cameras.gate.fps", "less than or equal to 30"),
    (camera("name: no"), 4, "cameras.gate.name", "write it in quotes"),
    (camera("password_env: a b"), 4, "cameras.gate.password_env", "should match pattern"),
    (camera("policy: {on_delay: -1}"), 4, "cameras.gate.policy.on_delay", "greater than or equal to 0, got -1"),
    (camera("policy:", "  severity: {hat: high}"), 5, "cameras.gate.policy.severity.hat", "'helmet' or 'vest'"),
    (camera("zones:", "  Yard 1:", f"    polygon: {SQUARE}"), 5, "cameras.gate.zones.Yard 1", "an id has a-z"),
    (zone("polygon: [[0, 0], [1, 1]]"), 6, "cameras.gate.zones.yard.polygon", "at least 3 points, got 2"),
    (zone("polygon: [[0, 0], [1, 1], [1, 0], [0, 1]]"), 6, "cameras.gate.zones.yard.polygon", "crosses itself"),
    (zone("polygon: [[0, 0], [1, 1], [0.5, 0.5]]"), 6, "cameras.gate.zones.yard.polygon", "no area"),
    (zone("polygon: [[0, 0], [640, 0], [640, 480]]"), 6, "cameras.gate.zones.yard.polygon", "from 0 to 1"),
    (zone("polygon: 5"), 6, "cameras.gate.zones.yard.polygon", "should be a list"),
    (zone("polygon:", "  - [0, 0]", "  - [1, x]"), 8, "cameras.gate.zones.yard.polygon.1.1", "valid number"),
    (zone("require: [helmet]"), 5, "cameras.gate.zones.yard.polygon", "is missing"),
    (zone(f"polygon: {SQUARE}", "require: [hat]"), 7, "zones.yard.require.0.equipment", "'helmet' or 'vest'"),
    (zone(f"polygon: {SQUARE}", "require: [vest, vest]"), 5, "cameras.gate.zones.yard", "required twice"),
    (zone(f"polygon: {SQUARE}", "exempt: true", "ignore: true"), 5, "cameras.gate.zones.yard", "not both"),
    (zone(f"polygon: {SQUARE}", "schedule:", "  - {from: 25:00}"), 8, "yard.schedule.0.from", "such as 07:00"),
    (zone(f"polygon: {SQUARE}", "schedule:", "  - {from: 7, to: 22}"), 8, "yard.schedule.0.from", "such as 07:00"),
    (zone(f"polygon: {SQUARE}", "schedule:", "  - {to: 24:00}"), 8, "yard.schedule.0.to", "midnight is 00:00"),
    (zone(f"polygon: {SQUARE}", "schedule:", "  - {to: 12:30.5}"), 8, "yard.schedule.0.to", "such as 07:00"),
    (zone(f"polygon: {SQUARE}", "schedule:", "  - {from: '07:00Z'}"), 7, "yard.schedule", "times are local"),
    (zone(f"polygon: {SQUARE}", "schedule:", "  - {days: [monday]}"), 8, "yard.schedule.0.days.0", "'mon'"),
    (zone(f"polygon: {SQUARE}", "schedule:", "  - {days: []}"), 7, "yard.schedule", "never holds"),
    ("time_zone: Mars/Olympus\ncameras: {gate: a}\n", 1, "time_zone", "no IANA time zone; write one such as"),
    ("time_zone: Europe\ncameras: {gate: a}\n", 1, "time_zone", "no IANA time zone"),
    ("mode: silent\ncameras: {gate: a}\n", 1, "mode", "'alert' or 'observe', got 'silent'"),
    ("cameras:\n  Gate 1: a.mp4\n", 2, "cameras.Gate 1", "an id has a-z"),
    ("cameras:\n  gate: rtsp://admin:pw@10.0.0.5/live\n", 2, "cameras.gate.source", "user: and password_env:"),
    ("cameras:\n  gate: rtsp://admin:p/w@10.0.0.5/live\n", 2, "cameras.gate.source", "user: and password_env:"),
    ("cameras:\n  gate: ''\n", 2, "cameras.gate.source", "at least 1 character"),
    ("cameras:\n\tgate: a.mp4\n", 2, "", r"'\t'"),
    ("cameras:\n  gate: a.mp4\n  gate: b.mp4\n", 3, "cameras", "'gate' stands twice, first in line 2"),
    ("a: &x {b: 1}\ncameras: {gate: a}\n", 1, "", "anchors, aliases and tags"),
    ("cameras:\n  gate: *x\n", 2, "", "anchors, aliases and tags"),
    ("cameras:\n  gate: !!python/object:os.system {}\n", 2, "", "anchors, aliases and tags"),
    ("cameras:\n  <<: {a: b}\n", 2, "cameras.(key)", "an id has a-z"),
    ("? [a]\n: b\n", 1, "", "a key must be a plain word"),
    ("cameras: {gate: a\n", 2, "", "not valid YAML"),
    ("cameras: {gate: a}\n---\nname: b\n", 2, "", "not valid YAML"),
    ("cameras:\n  gate: a\x07b\n", 2, "", "U+0007"),
    ("", 1, "", "expected a mapping"),
    ("# nothing\n", 1, "", "expected a mapping"),
    ("- gate\n- roof\n", 1, "", "expected a mapping"),
    ("gate\n", 1, "", "expected a mapping"),
    ("[" * 500_000, 1, "", "nested too deeply"),
    (
        "cameras: {gate: a}\nendpoints:\n"
        + "".join(f"  e{n}: {{url: https://a.org, secret_env: A}}\n" for n in range(33)),
        2,
        "endpoints",
        "at most 32 items",
    ),
    (
        "cameras: {gate: a}\nendpoints:\n  a:\n    url: ftp://a.org\n    secret_env: A\n",
        4,
        "endpoints.a.url",
        "should match pattern",
    ),
    ("cameras: {gate: a}\nendpoints:\n  a: {url: https://a.org}\n", 3, "endpoints.a.secret_env", "is missing"),
]


@pytest.mark.parametrize(("text", "line", "where", "what"), BAD, ids=[f"{row[2]}-{row[3]}"[-40:] for row in BAD])
def test_every_mistake_has_a_line_and_a_mend(text: str, line: int, where: str, what: str) -> None:
    found = mistakes(text)
    assert any(at == line and place.endswith(where) and what in said for at, place, said in found), found
    assert all("\n" not in said or said.startswith("expected a mapping") for _, _, said in found)


def test_all_mistakes_are_told_at_once() -> None:
    text = "mode: loud\ntime_zone: Mars\ncameras:\n  gate:\n    source: a\n    fps: 99\n    colour: red\n"
    assert sorted(line for line, _, _ in mistakes(text)) == [1, 2, 6, 7]
    with pytest.raises(SiteFileError) as caught:
        parse_site(text, HERE)
    assert [row.startswith("site.yaml: line ") for row in str(caught.value).splitlines()] == [True] * 4


def test_aliases_cannot_grow_without_end() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert [line for line, _, _ in mistakes("\n".join(rows))] == [1]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SiteFileError, match="No such file"):
        read_site(tmp_path / "nowhere.yaml")
    with pytest.raises(SiteFileError, match="Is a directory"):
        read_site(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("name: x\ntown: Köln\n".encode("latin-1"))
    with pytest.raises(SiteFileError, match="line 2: not UTF-8 text; save the file as UTF-8"):
        read_site(tmp_path / "latin.yaml")
    (tmp_path / "large.yaml").write_bytes(b"cameras: {gate: a}\n" + b"#" * 2 * LARGEST)
    with pytest.raises(SiteFileError, match="larger than 1048576 bytes"):
        read_site(tmp_path / "large.yaml")
    with pytest.raises(SiteFileError, match="larger than 1048576 bytes"):
        parse_site("#" * (LARGEST + 1), HERE)


@pytest.mark.parametrize("value", ["2024-13-45", "0x_", "0b_", "=", "2024-01-01", "<<", "1_000_:1"])
def test_what_only_looks_like_a_number_or_a_date_is_text(value: str) -> None:
    assert parse_site(f"name: {value}\ncameras: {{gate: a}}\n", HERE).name == value


LEAKS = [
    "cameras:\n  gate: rtsp://admin:{}@10.0.0.5/live\n",
    "cameras:\n  gate: rtsp://admin:/{}@10.0.0.5/live\n",
    "cameras:\n  gate: rtsp://{}:x@10.0.0.5/live\n",
    "cameras:\n  gate: {{source: 'https://u:{}@h/x', fps: 0}}\n",
    "cameras:\n  rtsp://admin:{}@10.0.0.5/live:\n",
    "cameras:\n  rtsp://admin:{}@10.0.0.5/live: 5\n",
    "cameras:\n  gate: {{rtsp://admin:{}@h: x}}\n",
    "cameras:\n  gate: {{rtsp://admin:{0}@h: x, rtsp://admin:{0}@h: y}}\n",
    "cameras: rtsp://admin:{}@10.0.0.5/live\n",
    "cameras: [rtsp://admin:{}@10.0.0.5/live]\n",
    "cameras:\n  gate: [rtsp://admin:{}@10.0.0.5/live]\n",
    "cameras:\n  gate: {{source: a, password: {}}}\n",
    "cameras:\n  gate: {{source: a, password_env: {}!}}\n",
    "cameras:\n  gate: {{source: a, password_env: [{}]}}\n",
    "cameras:\n  gate: {{source: a, user: {{x: {}}}}}\n",
    "cameras: {{gate: a}}\nendpoints: {{hook: https://example.org/{}}}\n",
    "cameras: {{gate: a}}\nendpoints: https://example.org/{}\n",
    "cameras: {{gate: a}}\nendpoints: {{hook: {{url: 'ftp://{}@h', secret_env: A}}}}\n",
    "cameras: {{gate: a}}\nendpoints: {{hook: {{url: 'https://h', secret: whsec_{}}}}}\n",
    "cameras: {{gate: a}}\nendpoints: {{hook: {{url: 'https://h', secret_env: whsec_{}=}}}}\n",
    "cameras: {{gate: a}}\nendpoints: {{hook: {{url: 'https://h', secret_env: whsec_{}}}}}\n",
    "cameras:\n  gate: rtsp://admin:{}@10.0.0.5: [\n",
    "cameras:\n  gate: 'rtsp://admin:{}@10.0.0.5\n",
    'cameras:\n  gate: "rtsp://admin:{}\\q@10.0.0.5"\n',
    "cameras:\n  gate: rtsp://admin:{}@10.0.0.5\x07\n",
    "cameras:\n\tgate: rtsp://admin:{}@10.0.0.5\n",
    "- rtsp://admin:{}@10.0.0.5\n",
    "rtsp://admin:{}@10.0.0.5\n",
]


@pytest.mark.parametrize("template", LEAKS)
def test_no_mistake_quotes_a_secret(template: str) -> None:
    with pytest.raises(SiteFileError) as caught:
        parse_site(template.format(SECRET), HERE)
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.mistakes)
    assert SECRET not in told


@given(st.text(alphabet=st.sampled_from([*"ab01:-[]{},'\"&*!|>#%@?\n\t =.~", "\ufeff", "\x85", "é"]), max_size=80))
@example("? {a: b}\n: c")
@example("a: !!binary x")
@example("9" * 5000)
@example("cameras: {gate: " + "9" * 5000 + "}")
@example("%TAG ! tag:x,2000:\n---\na: b")
def test_any_text_is_a_site_or_a_list_of_mistakes(text: str) -> None:
    assert all(line >= 1 and what for line, _, what in mistakes(text))


@given(st.integers(0, len(FULL)), st.integers(0, 12), st.text(alphabet="ab:{}[],\n '\"-&*!07\t", max_size=6))
def test_a_damaged_file_is_a_site_or_a_list_of_mistakes(place: int, cut: int, put: str) -> None:
    text = FULL[:place] + put + FULL[place + cut :]
    last = text.count("\n") + 2
    assert all(1 <= line <= last and what for line, _, what in mistakes(text))


ALERTING = FULL.replace("mode: observe", "mode: alert")


def test_secrets_that_are_not_set() -> None:
    site = parse_site(ALERTING, HERE)
    assert missing_secrets(site, {}) == ["GATE_PASSWORD", "HOOK_SECRET"]
    assert missing_secrets(site, {"HOOK_SECRET": "whsec_x", "GATE_PASSWORD": ""}) == ["GATE_PASSWORD"]
    assert missing_secrets(site, {"HOOK_SECRET": "whsec_x", "GATE_PASSWORD": "y"}) == []
    assert missing_secrets(SiteFile.model_validate({"cameras": {"gate": "a"}})) == []


def test_a_site_that_is_only_observed_needs_no_secret_of_an_endpoint() -> None:
    observed = parse_site(FULL, HERE)
    assert missing_secrets(observed, {}) == ["GATE_PASSWORD"]
    assert (list(observed.endpoints), observed.receivers) == (["safety"], {})
    assert list(parse_site(ALERTING, HERE).receivers) == ["safety"]


def test_secrets_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATE_PASSWORD", "x")
    monkeypatch.delenv("HOOK_SECRET", raising=False)
    assert missing_secrets(parse_site(ALERTING, HERE)) == ["HOOK_SECRET"]


BERLIN = ZoneInfo("Europe/Berlin")
WEEK = 7 * 24 * 60
ORDINARY, SPRING, AUTUMN = (datetime(2026, month, day, tzinfo=UTC) for month, day in ((6, 1), (3, 25), (10, 21)))


def minutes_of_the_week(shift: Shift) -> set[int]:
    """Return the wall-clock minutes, from Monday 00:00, in which a shift holds: each start, counted forwards."""
    start, end = (side.hour * 60 + side.minute for side in (shift.start, shift.end))
    length = (end - start) % (24 * 60) or 24 * 60
    return {(DAYS.index(day) * 24 * 60 + start + passed) % WEEK for day in set(shift.days) for passed in range(length)}


shifts = st.builds(
    lambda days, start, end: Shift.model_validate({"days": days, "from": start, "to": end}),
    st.lists(st.sampled_from(DAYS), min_size=1, unique=True),
    *[st.times().map(lambda moment: moment.replace(second=0, microsecond=0))] * 2,
)


@settings(max_examples=25)
@given(shifts, st.sampled_from([ORDINARY, SPRING, AUTUMN]))
@example(Shift.model_validate({"from": "22:00", "to": "06:00"}), SPRING)
@example(Shift.model_validate({"from": "02:30", "to": "02:45"}), AUTUMN)
def test_a_shift_holds_as_the_clock_on_the_wall_says(shift: Shift, begin: datetime) -> None:
    """Minute by minute over a week, two of them with a change to or from summer time."""
    expected = minutes_of_the_week(shift)
    for minute in range(WEEK):
        local = (begin + timedelta(minutes=minute)).astimezone(BERLIN)
        assert shift.holds(local) == ((local.weekday() * 24 + local.hour) * 60 + local.minute in expected), local


@pytest.mark.parametrize(
    ("days", "begin", "hours"),
    [(("sat",), SPRING, 7), (("sat",), AUTUMN, 9), (("sat",), ORDINARY, 8), (("sun",), SPRING, 8)],
)
def test_a_night_shift_over_a_change_of_the_clock(days: tuple[Day, ...], begin: datetime, hours: int) -> None:
    """22:00 to 06:00: the night of the change is an hour shorter or longer, as everybody on it knows."""
    night = Shift.model_validate({"days": days, "from": "22:00", "to": "06:00"})
    zone = Zone(id="yard", polygon=((0, 0), (1, 0), (1, 1)), schedule=(night,))
    scene = Scene(camera="gate", zones=(zone,), time_zone="Europe/Berlin")
    first = int(begin.timestamp() * 1000)
    active = [zone.active(scene.local(first + minute * 60_000)) for minute in range(WEEK)]
    assert sum(active) == hours * 60


def test_start_is_in_and_end_is_out() -> None:
    shift = Shift.model_validate({"days": ["sun"], "from": "22:00", "to": "06:00"})
    sunday = datetime(2026, 6, 7, tzinfo=BERLIN)
    held = [shift.holds(sunday + timedelta(hours=22, minutes=minutes)) for minutes in (-1, 0, 479, 480)]
    assert held == [False, True, True, False]
    assert not shift.holds(sunday)


def test_without_hours_a_shift_lasts_all_day() -> None:
    shift = Shift.model_validate({"days": ["mon"]})
    monday = datetime(2026, 6, 1, tzinfo=BERLIN)
    assert all(shift.holds(monday + timedelta(minutes=minute)) for minute in range(0, 24 * 60, 7))
    assert not shift.holds(monday + timedelta(days=1))


def test_sight_and_gate_of_a_camera_have_defaults_and_can_be_turned_off() -> None:
    plain = parse_site(camera(), HERE).cameras["gate"]
    assert plain.motion_gate is None
    assert (plain.sight.frozen_after, plain.sight.blind_after, plain.sight.moved_after) == (10.0, 10.0, 30.0)
    text = camera("motion_gate: false", "sight: {frozen_after: null, moved_after: 60}")
    chosen = parse_site(text, HERE).cameras["gate"]
    assert chosen.motion_gate is False
    assert (chosen.sight.frozen_after, chosen.sight.blind_after, chosen.sight.moved_after) == (None, 10.0, 60.0)


@pytest.mark.parametrize("line", ["motion_gate: fast", "sight: {frozen_after: 0}", "sight: {blind: 3}", "sight: off"])
def test_mistakes_in_sight_and_gate_have_their_line(line: str) -> None:
    with pytest.raises(SiteFileError) as caught:
        parse_site(camera(line), HERE)
    assert [mistake.line for mistake in caught.value.mistakes] == [4]
