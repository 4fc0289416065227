"""What is kept is there after a restart, however the process ended, and once however often it was said."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.safety.alerts import AlertChange
from service.store.errors import StoreError
from service.store.store import Store
from tests.conftest import ROOT
from tests.store.made import START_MS, alert, continued, ended, fired, message, still

LIFE = [fired(alert(1)), ended(alert(1), 10, "lost_sight"), continued(alert(1), 20), ended(alert(1), 30)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store", ["room"]) as made:
        yield made


def test_open_alerts_and_their_history_are_there_after_a_restart(tmp_path: Path) -> None:
    with Store(tmp_path, ["room"]) as store:
        store.record([fired(alert(1))], [still(alert(1))], [message("a")])
        store.record([ended(alert(1), 10, "lost_sight"), continued(alert(1))], [], [])
    with Store(tmp_path, ["room"]) as store:
        assert store.open_alerts("gate") == [continued(alert(1)).alert]
        history = store.alert(alert(1).id)
        assert history is not None
        assert [change.kind for change in history.changes] == ["fired", "lost_sight", "updated"]
        assert history.changes[0].at == alert(1).fired
        assert history.evidence == ("clean",)
        assert [one.message.id for one in store.due(START_MS)] == ["a"]


def test_alerts_are_listed_page_by_page_newest_first(store: Store) -> None:
    store.record([fired(alert(number, "gate" if number % 2 else "dock")) for number in range(1, 8)], [], [])
    first = store.alerts(3)
    assert [one.fired.seconds for one in first] == [7, 6, 5]
    second = store.alerts(3, before=(first[-1].fired.wall_ms, first[-1].id))
    assert [one.fired.seconds for one in second] == [4, 3, 2]
    assert [one.fired.seconds for one in store.alerts(camera="dock")] == [6, 4, 2]
    assert store.alert("no such alert") is None


@pytest.mark.thorough
@given(st.lists(st.integers(0, len(LIFE)), max_size=4))
@settings(max_examples=15)
def test_a_life_told_again_from_anywhere_is_kept_once(cuts: list[int]) -> None:
    """A worker that restarts tells what it told before: from the beginning up to some change, again and again."""
    with tempfile.TemporaryDirectory() as folder:
        with Store(Path(folder), ["room"]) as store:
            for cut in (*cuts, len(LIFE)):
                for number, change in enumerate(LIFE[:cut]):
                    store.record([change], [still(change.alert)], [message(str(number))])
            left = []
            while due := store.due(START_MS):
                left += [one.message.id for one in due]
                store.delivered(due[0], START_MS)
        with Store(Path(folder), ["room"]) as store:
            history = store.alert(alert(1).id)
    assert history is not None
    assert history.alert == LIFE[-1].alert
    assert [(change.kind, change.at) for change in history.changes] == [(told.kind, told.at) for told in LIFE]
    assert left == [str(number) for number in range(len(LIFE))]


def test_one_process_at_a_time(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"already open in another process \(pid \d+\)") as refused:
        Store(tmp_path / "store", [])
    assert refused.value.code == "STORE_LOCKED"
    store.close()
    Store(tmp_path / "store", []).close()


def test_a_backup_is_a_store(store: Store, tmp_path: Path) -> None:
    store.record([AlertChange("fired", alert(1), alert(1).fired)], [], [message("a")])
    home = tmp_path / "copy"
    home.mkdir()
    store.backup(home / "ppe.db")
    with pytest.raises(FileExistsError):
        store.backup(home / "ppe.db")
    store.record([fired(alert(2))], [], [])
    assert [path.name for path in home.iterdir()] == ["ppe.db"]
    with Store(home, ["room"]) as copy:
        assert copy.open_alerts("gate") == [alert(1)]


def test_a_backup_that_fails_leaves_nothing(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError) as failed:
        store.backup(tmp_path / "no such folder" / "ppe.db")
    assert failed.value.code == "STORE_IO"
    assert store.open_alerts("gate") == []


@pytest.mark.thorough
def test_twenty_kills_lose_and_double_nothing() -> None:
    command = [sys.executable, "-m", "benchmarks.kill_store", "--kills", "20"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert json.loads(run.stdout)["acknowledged"] > 0
