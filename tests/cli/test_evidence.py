"""``ppe evidence`` on real stores: what it tells, what it does, and when it refuses."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result

from service.safety.alerts import Alert
from service.safety.moment import Moment
from service.store.store import Store
from tests.cli.workers import run
from tests.conftest import ROOT
from tests.store.made import alert, ended, fired, still

DAY_MS = 86_400_000


def on(number: int, days_ago: float) -> Alert:
    at = Moment(number * 100, time.time_ns() // 1_000_000 - round(days_ago * DAY_MS))
    return replace(alert(number), since=at, fired=at, seen=at)


def done(one: Alert) -> Alert:
    at = Moment(one.fired.seconds + 10, one.fired.wall_ms + 10_000)
    return replace(one, seen=at, ended=at, ending="worn")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store with an alert of today that is open, and ended ones of 10, 20 and 40 days ago."""
    home = tmp_path / "store"
    with Store(home, []) as store:
        store.record([fired(on(1, 0))], [still(alert(1))], [])
        for number, days in ((2, 10), (3, 20), (4, 40)):
            one = on(number, days)
            change = replace(ended(one), alert=done(one))
            store.record([fired(one), change], [still(one)], [])
    return home


def ppe(folder: Path, *arguments: str, **environment: str) -> Result:
    return run("evidence", *arguments, PPE_STORE=str(folder), PPE_LOG_LEVEL="error", COLUMNS="200", **environment)


def test_status_tells_what_there_is(folder: Path) -> None:
    ppe(folder, "hold", alert(3).id, "--why", "insurance")
    told = ppe(folder, "status")
    assert told.exit_code == 0
    assert told.stdout.startswith("4 pictures and clips of 4 alerts, 0.0 MiB, the oldest of ")
    assert f"held: {alert(3).id} (insurance)" in told.stdout
    document = json.loads(ppe(folder, "status", "--json").stdout)
    assert (document["alerts"], document["files"], document["held"]) == (4, 4, {alert(3).id: "insurance"})


def test_status_forgets_nothing(folder: Path) -> None:
    for _ in range(2):
        assert json.loads(ppe(folder, "status", "--json").stdout)["files"] == 4


def test_sweep_forgets_what_is_too_old_and_not_what_is_held(folder: Path) -> None:
    assert ppe(folder, "hold", alert(4).id).stdout == f"held: {alert(4).id}\n"
    told = ppe(folder, "sweep", PPE_EVIDENCE_DAYS="15", PPE_EVIDENCE_FREE_GIB="0")
    assert told.exit_code == 0
    assert "3 pictures and clips of 3 alerts are left" in told.stdout
    assert ppe(folder, "release", alert(4).id).exit_code == 0
    assert "2 pictures" in ppe(folder, "sweep", PPE_EVIDENCE_DAYS="15", PPE_EVIDENCE_FREE_GIB="0").stdout
    assert "gone (age): 2" in ppe(folder, "status").stdout


def test_erase_leaves_what_is_open_and_names_it(folder: Path) -> None:
    told = ppe(folder, "erase", "--camera", "gate", "--by", "letter 12", "--yes")
    assert told.exit_code == 1
    assert told.stdout.startswith("erased: camera gate: 3 alerts, 3 pictures, ")
    assert told.stdout.endswith("asked by letter 12\n")
    assert f"alert {alert(1).id} is open" in told.stderr
    assert "erased: camera gate: 3 alerts" in ppe(folder, "status").stdout


def test_erase_asks_first(folder: Path) -> None:
    told = ppe(folder, "erase", "--alert", alert(2).id, "--by", "letter 12")
    assert told.exit_code != 0
    assert json.loads(ppe(folder, "status", "--json").stdout)["files"] == 4
    assert ppe(folder, "erase", "--alert", alert(2).id, "--by", "letter 12", "--yes").exit_code == 0
    assert json.loads(ppe(folder, "status", "--json").stdout)["files"] == 3


def test_erase_of_a_period(folder: Path) -> None:
    period = ("--from", "2000-01-01T00:00:00Z", "--to", "2001-01-01T00:00:00+02:00")
    told = ppe(folder, "erase", *period, "--by", "letter 12", "--yes")
    assert told.exit_code == 0
    assert "all cameras from 2000-01-01 00:00:00Z to 2000-12-31 22:00:00Z: 0 alerts" in told.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("erase", "--by", "x", "--yes"), "name an alert, a camera or a period"),
        (("erase", "--by", " ", "--camera", "gate", "--yes"), "say who asked for it"),
        (("erase", "--by", "x", "--from", "yesterday", "--yes"), "is no ISO 8601 time"),
        (("erase", "--by", "x", "--from", "2026-05-03T09:00", "--yes"), "of which time zone"),
        (("erase", "--by", "x", "--alert", "nobody", "--yes"), "there is no alert nobody"),
        (("hold", "nobody"), "there is no alert nobody"),
        (("release", "nobody"), "is not held"),
    ],
)
def test_what_makes_no_sense_is_refused(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    told = ppe(folder, *arguments)
    assert told.exit_code == 2
    assert says in told.stderr


def test_a_running_service_keeps_the_store_for_itself(folder: Path) -> None:
    with Store(folder, []):
        told = ppe(folder, "status")
    assert told.exit_code == 2
    assert "already open in another process (pid " in told.stderr
    assert "while no service runs" in told.stderr


def test_no_store_is_made_where_there_is_none(tmp_path: Path) -> None:
    told = ppe(tmp_path / "nowhere", "status")
    assert told.exit_code == 2
    assert "there is no store in" in told.stderr
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("command", ["status", "hold", "release", "erase", "sweep", "export"])
def test_every_option_is_documented(command: str) -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    section = text.partition("\n## ppe evidence\n")[2].partition("\n## ")[0]
    assert f"`ppe evidence {command}" in section
    help_text = run("evidence", command, "--help", COLUMNS="200").stdout
    options = {word.strip(",") for word in help_text.split() if word.startswith("--")} - {"--help"}
    for option in options:
        assert option in section, f"docs/cli.md does not explain {option} of ppe evidence {command}"
