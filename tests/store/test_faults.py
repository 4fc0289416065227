"""Disks that fill, files that break or go: a clear code, nothing half-written, and work goes on when it can."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from service.safety.moment import Moment
from service.store.disk import Disk
from service.store.errors import StoreError, named
from service.store.keeping import Keeping
from service.store.retention import DAY_MS, Limits
from service.store.store import Store
from tests.conftest import ROOT
from tests.store.made import START_MS, HeldClock, alert, detections, ended, fired, message, still


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB."""
    home = tmp_path / "disk"
    home.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(home)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("needs mount")
    if done.returncode:
        pytest.skip(f"needs the right to mount a tmpfs: {done.stderr.strip()}")
    yield home
    subprocess.run(["umount", "--lazy", str(home)], check=True)


def fill(disk: Path) -> Path:
    """Take what is left of a disk."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError as error:
            assert error.errno == errno.ENOSPC
    return filler


def child(program: str, folder: Path) -> str:
    """Run a program on a folder in a process of its own; return what it printed."""
    command = [sys.executable, "-c", program, str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_a_full_disk_is_named_and_nothing_half_written_is_listed(small_disk: Path) -> None:
    with Store(small_disk, ["room"]) as store:
        store.record([fired(alert(1))], [still(alert(1))], [message("a")])
        filler = fill(small_disk)
        for number, stills in ((2, [still(alert(2), b"x" * 100_000)]), (3, [])):
            with pytest.raises(StoreError) as failed:
                for again in range(200):  # what the write-ahead log has room for may still be taken
                    one = alert(number * 1000 + again)
                    store.record(
                        [fired(one)], [still(one, each.jpeg) for each in stills], [message(f"{number}-{again}")]
                    )
            assert failed.value.code == "STORE_FULL"
            assert store.alert(one.id) is None
        assert [
            path for path in (small_disk / "evidence").rglob("*.*") if path.stat().st_size != len(still(alert(1)).jpeg)
        ] == []
        filler.unlink()
        store.record([fired(one)], [still(one)], [])
        kept = store.alerts(most=1000)
    with Store(small_disk, ["room"]) as store:
        assert store.alerts(most=1000) == kept
        assert store.evidence_path(one.id, "clean") is not None


def test_old_evidence_makes_room_on_a_disk_on_which_not_even_a_row_can_be_written(small_disk: Path) -> None:
    clock = HeldClock(START_MS + 30 * DAY_MS)
    with Store(small_disk, [], clock=clock) as store:
        for number in range(15):
            store.record([fired(alert(number)), ended(alert(number))], [still(alert(number), b"x" * 100_000)], [])
    limits = Limits(evidence_days=100, free_bytes=1_000_000)
    with Store(small_disk, [], clock=clock) as store:
        fill(small_disk)
        number = 100
        with pytest.raises(StoreError, match="no space is left"):
            while number < 1000:
                store.record([fired(alert(number))], [], [])
                number += 1
        keeping = Keeping(small_disk, store._database, Disk(small_disk / "evidence"), clock, limits)
        while keeping.step():
            pass
        room = os.statvfs(small_disk)
        assert room.f_bavail * room.f_frsize >= 900_000
        assert keeping.status().gone == {"space": 10}
        store.record([fired(alert(number))], [still(alert(number))], [])
        assert store.evidence_path(alert(number).id, "clean") is not None
    with Store(small_disk, [], clock=clock) as store:
        assert (store.swept.removed, store.swept.missing) == (0, 0)


def test_an_alert_is_committed_though_no_picture_can_be_written(small_disk: Path) -> None:
    """The disk has room for rows and none for a picture."""
    with Store(small_disk, ["room"]) as store:
        store.record([fired(alert(1))], [still(alert(1))], [message("a")])
        filler = fill(small_disk)
        os.truncate(filler, filler.stat().st_size - 300_000)
        with capture_logs() as lines:
            for number in (2, 3):
                store.record([fired(alert(number))], [still(alert(number), b"x" * 400_000)], [message(str(number))])
        assert [line["event"] for line in lines] == ["evidence_cannot_be_written"]
        assert lines[0]["reason"] == "No space left on device"
        assert store.open_alerts("gate") == [alert(1), alert(2), alert(3)]
        gone = store.keeping.gone(alert(2).id, "clean")
        assert gone is not None
        assert (gone.why, gone.detail) == ("not_written", "No space left on device")
        filler.unlink()
        with capture_logs() as lines:
            for number in (4, 5):
                store.record([fired(alert(number))], [still(alert(number))], [])
        assert [line["event"] for line in lines] == ["evidence_is_written_again"]
        assert store.evidence_path(alert(4).id, "clean") is not None


@pytest.mark.parametrize("fault", [errno.EIO, errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_whatever_the_disk_says_the_alert_is_committed(tmp_path: Path, fault: int) -> None:
    class Broken(Disk):
        broken = True

        def write(self, path: str, jpeg: bytes) -> None:
            if self.broken:
                raise OSError(fault, os.strerror(fault), path)
            super().write(path, jpeg)

    disk = Broken(tmp_path / "evidence")
    with Store(tmp_path, [], disk=disk) as store:
        store.record([fired(alert(1))], [still(alert(1))], [])
        gone = store.keeping.gone(alert(1).id, "clean")
        assert gone is not None
        assert gone.detail == os.strerror(fault)
        disk.broken = False
        store.record([fired(alert(2))], [still(alert(2))], [])
        assert store.evidence_path(alert(2).id, "clean") is not None


def test_a_picture_longer_than_the_system_allows_costs_no_alert(tmp_path: Path) -> None:
    said = child(WRITES_A_LARGE_PICTURE, tmp_path)
    assert said.splitlines()[-1] == "2 not_written File too large"
    assert [path.parent.name for path in (tmp_path / "evidence").rglob("*.*")] == [alert(2).id]


def test_counts_outlive_a_full_disk(small_disk: Path) -> None:
    with Store(small_disk, []) as store:
        filler = fill(small_disk)
        for number in range(20_000):
            store.count(f"camera-{number}", Moment(0, START_MS), {("yard", "helmet", "worn"): 1.0}, [])
        with pytest.raises(StoreError) as failed:
            store.flush()
        assert failed.value.code == "STORE_FULL"
        filler.unlink()
        store.flush()
        assert [hour.seconds for hour in store.person_seconds("camera-19999", 0, 2 * START_MS)] == [1.0]


WRITES_UNTIL_REFUSED = """
import pathlib, resource, signal, sys
from service.store.errors import StoreError
from service.store.store import Store
from tests.store.made import alert, fired, message

folder = pathlib.Path(sys.argv[1])
with Store(folder, ["room"]) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    number = 0
    try:
        while number < 5000:
            store.record([fired(alert(number))], [], [message(str(number))])
            number += 1
    except StoreError as error:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print(number, error.code, len(store.open_alerts("gate")))
"""


WRITES_A_LARGE_PICTURE = """
import pathlib, resource, sys
from service.store.store import Store
from tests.store.made import alert, fired, still

with Store(pathlib.Path(sys.argv[1]), []) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, resource.RLIM_INFINITY))
    store.record([fired(alert(1))], [still(alert(1), bytes(5_000_000))], [])
    store.record([fired(alert(2))], [still(alert(2), bytes(1_000_000))], [])
    gone = store.keeping.gone(alert(1).id, "clean")
    print(len(store.open_alerts("gate")), gone.why, gone.detail)
"""


def test_a_write_that_the_system_refuses_is_an_io_error_and_loses_nothing(tmp_path: Path) -> None:
    said = child(WRITES_UNTIL_REFUSED, tmp_path)
    acknowledged, code, kept = said.split()[-3:]
    assert code == "STORE_IO"
    assert acknowledged == kept
    with Store(tmp_path, ["room"]) as store:
        assert len(store.open_alerts("gate")) == int(acknowledged) > 0


@pytest.mark.parametrize("damage", ["torn", "no database", "flipped"])
def test_a_damaged_database_is_refused_and_left_alone(tmp_path: Path, damage: str) -> None:
    with Store(tmp_path, ["room"]) as store:
        for number in range(30):
            store.record([fired(alert(number))], [], [message(str(number))])
    path = tmp_path / "ppe.db"
    sound = path.read_bytes()
    broken = {
        "torn": sound[: len(sound) // 2],
        "no database": b"not a database at all" * 100,
        "flipped": sound[:4096] + bytes(byte ^ 0xFF for byte in sound[4096:8192]) + sound[8192:],
    }[damage]
    path.write_bytes(broken)
    with pytest.raises(StoreError) as refused:
        Store(tmp_path, ["room"])
    assert refused.value.code == "STORE_CORRUPT"
    assert path.read_bytes() == broken
    path.write_bytes(sound)
    Store(tmp_path, ["room"]).close()


def test_a_database_deleted_while_open_is_noticed(tmp_path: Path) -> None:
    with Store(tmp_path, []) as store:
        aside = (tmp_path / "ppe.db").rename(tmp_path / "aside.db")
        with pytest.raises(StoreError, match="deleted or replaced") as noticed:
            store.record([fired(alert(1))], [], [])
        assert noticed.value.code == "STORE_MISSING"
        aside.rename(tmp_path / "ppe.db")
        store.record([fired(alert(1))], [], [])


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError) as refused:
        Store(tmp_path / "file" / "store", [])
    assert refused.value.code == "STORE_IO"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (sqlite3.SQLITE_FULL, "STORE_FULL"),
        (sqlite3.SQLITE_IOERR_FSYNC, "STORE_IO"),
        (sqlite3.SQLITE_READONLY, "STORE_IO"),
        (sqlite3.SQLITE_NOTADB, "STORE_CORRUPT"),
        (sqlite3.SQLITE_BUSY, "STORE_LOCKED"),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, "STORE_FAILED"),
    ],
)
def test_every_refusal_of_sqlite_has_a_code(tmp_path: Path, number: int, code: str) -> None:
    error = sqlite3.OperationalError("as SQLite said it")
    error.sqlite_errorcode = number
    with pytest.raises(StoreError, match="as SQLite said it") as raised, named(tmp_path):
        raise error
    assert raised.value.code == code


def test_the_file_systems_refusals_have_codes(tmp_path: Path) -> None:
    for number, code in ((errno.ENOSPC, "STORE_FULL"), (errno.EDQUOT, "STORE_FULL"), (errno.EIO, "STORE_IO")):
        with pytest.raises(StoreError) as raised, named(tmp_path):
            raise OSError(number, os.strerror(number))
        assert raised.value.code == code


def test_remember_never_waits_for_the_disk(small_disk: Path) -> None:
    store = Store(small_disk, [])
    fill(small_disk)
    for number in range(20_000):
        store.remember("gate", Moment(number, START_MS + number), detections(20))
    with contextlib.suppress(StoreError):  # what was pruned meanwhile may have made room again
        store.close()
    Store(small_disk, []).close()
