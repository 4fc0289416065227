"""Sweeps: what a crash left goes once it is old, rows say what the disk has, and nothing else is touched."""

from __future__ import annotations

import os
from pathlib import Path

from structlog.testing import capture_logs

from service.store.disk import Disk, File
from service.store.keeping import LOOK, PAUSE, SWEEP, Keeping
from service.store.retention import DAY_MS, Limits
from service.store.store import Store
from service.store.sweep import Swept
from tests.store.made import JPEG, START_MS, HeldClock, alert, ended, fired, still

OLD = START_MS / 1000 - 3601
YOUNG = START_MS / 1000 - 3599


def put(folder: Path, path: str, written: float = OLD) -> Path:
    """Write a file of some age into folders of the same age."""
    place = folder / "evidence" / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(JPEG)
    for each in (place, place.parent, place.parent.parent):
        os.utime(each, (written, written))
    return place


def left(folder: Path) -> list[str]:
    return sorted(place.relative_to(folder / "evidence").as_posix() for place in (folder / "evidence").rglob("*"))


def test_old_orphans_and_half_written_files_go_with_their_folders(tmp_path: Path) -> None:
    Store(tmp_path, []).close()
    put(tmp_path, "2025-01-01/a/clean.jpg")
    put(tmp_path, "2025-01-01/a/.crop.12.3.tmp")
    put(tmp_path, "2025-01-02/b/crop.jpg", YOUNG)
    with Store(tmp_path, [], clock=HeldClock(START_MS)) as store:
        assert store.swept == Swept(removed=2, missing=0)
        assert left(tmp_path) == ["2025-01-02", "2025-01-02/b", "2025-01-02/b/crop.jpg"]


def test_empty_folders_go_once_they_are_old(tmp_path: Path) -> None:
    for day, written in (("2025-01-01", OLD), ("2025-01-02", YOUNG)):
        (tmp_path / "evidence" / day / "a").mkdir(parents=True)
        os.utime(tmp_path / "evidence" / day / "a", (written, written))
        (tmp_path / "evidence" / day.replace("01-", "02-")).mkdir()
        os.utime(tmp_path / "evidence" / day.replace("01-", "02-"), (written, written))
    clock = HeldClock(START_MS)
    with Store(tmp_path, [], clock=clock):
        assert left(tmp_path) == ["2025-01-01", "2025-01-02", "2025-01-02/a", "2025-02-02"]


def test_what_the_store_never_writes_is_left_alone(tmp_path: Path) -> None:
    Store(tmp_path, []).close()
    outside = put(tmp_path, "../outside/clean.jpg")
    strangers = [
        put(tmp_path, path) for path in ("notes/a/clean.jpg", "2025-01-01/a/report.pdf", "2025-01-01/a b/c.jpg")
    ]
    (tmp_path / "evidence" / "2025-01-03").symlink_to(outside.parent.parent)
    with Store(tmp_path, [], clock=HeldClock(START_MS)) as store:
        assert store.swept == Swept(0, 0)
        assert all(place.exists() for place in (outside, *strangers))


def test_a_size_that_changed_is_corrected(tmp_path: Path) -> None:
    with Store(tmp_path, []) as store:
        store.record([fired(alert(1))], [still(alert(1))], [])
        path = store.evidence_path(alert(1).id, "clean")
        assert path is not None
        path.write_bytes(JPEG * 100)
        store.keeping.sweep()
        assert store.keeping.status().size == len(JPEG) * 100
        path.unlink()
        assert store.keeping.sweep() == Swept(removed=0, missing=1)
        assert store.keeping.status().size == 0


def test_a_still_that_comes_while_the_folder_is_read_is_not_missing(tmp_path: Path) -> None:
    class Slow(Disk):
        after: object = None

        def files(self, day: str) -> dict[str, File]:
            found = super().files(day)
            if callable(self.after):
                self.after()
            return found

    disk = Slow(tmp_path / "evidence")
    with Store(tmp_path, [], disk=disk) as store:
        store.record([fired(alert(1))], [still(alert(1))], [])
        disk.after = lambda: store.record([fired(alert(2))], [still(alert(2))], [])
        assert store.keeping.sweep() == Swept(0, 0)
        assert store.evidence_path(alert(2).id, "clean") is not None


def test_many_rows_are_swept_page_by_page(tmp_path: Path) -> None:
    with Store(tmp_path, []) as store:
        with store._database.transaction() as connection:
            for number in range(1200):
                name = f"{number:016x}"
                connection.exec_driver_sql(
                    "INSERT INTO alerts (id, camera, person, zone, equipment, severity, since_s, since_ms, fired_s, "
                    "fired_ms, seen_s, seen_ms, x1, y1, x2, y2, by_absence, zone_uncertain) VALUES "
                    "(?, 'gate', 'p', 'z', 'helmet', 'high', 0, 0, 0, ?, 0, 0, 0, 0, 0, 0, 0, 0)",
                    (name, START_MS + number % 7),
                )
                connection.exec_driver_sql(
                    "INSERT INTO evidence (alert, kind, path, fired_ms) VALUES (?, 'clean', ?, ?)",
                    (name, f"2025-06-15/{name}/clean.jpg", START_MS + number % 7),
                )
        assert store.keeping.sweep() == Swept(removed=0, missing=1200)
        assert store.keeping.status().missing == 1200


class Script:
    """A stop event that moves the clock by what is waited, and is set after so many waits."""

    def __init__(self, clock: HeldClock, waits: int) -> None:
        self.clock, self.left = clock, waits
        self.waited: list[float] = []

    def is_set(self) -> bool:
        return self.left < 0

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        self.clock.sleep(seconds)
        self.left -= 1
        return self.left < 0


def test_the_store_steps_while_there_is_something_to_forget_and_sweeps_once_an_hour(tmp_path: Path) -> None:
    clock = HeldClock(START_MS + 40 * DAY_MS)
    with Store(tmp_path, [], clock=clock) as store:
        for number in range(45):
            store.record([fired(alert(number)), ended(alert(number))], [still(alert(number))], [])
        disk = Disk(tmp_path / "evidence")
        keeping = Keeping(tmp_path, store._database, disk, clock, Limits(free_bytes=0))
        orphan = put(tmp_path, "2025-01-01/a/clean.jpg", 0)
        script = Script(clock, 5 + round(SWEEP / LOOK))
        keeping.run(script)  # type: ignore[arg-type]
        assert script.waited[:6] == [PAUSE, PAUSE, PAUSE, PAUSE, LOOK, LOOK]
        assert store.keeping.status().gone == {"age": 45}
        assert not orphan.exists()


def test_a_disk_that_can_not_forget_is_told_once_and_tried_again(tmp_path: Path) -> None:
    class Stuck(Disk):
        faults = 3

        def remove(self, paths: object) -> None:
            self.faults -= 1
            if self.faults >= 0:
                raise OSError(30, "Read-only file system")
            super().remove(paths)  # type: ignore[arg-type]

    clock = HeldClock(START_MS + 40 * DAY_MS)
    with Store(tmp_path, [], clock=clock) as store:
        for number in range(65):
            store.record([fired(alert(number)), ended(alert(number))], [still(alert(number))], [])
        keeping = Keeping(tmp_path, store._database, Stuck(tmp_path / "evidence"), clock, Limits(free_bytes=0))
        with capture_logs() as lines:
            keeping.run(Script(clock, 6))  # type: ignore[arg-type]
        told = [line["event"] for line in lines if line["event"].startswith("store_")]
        assert told == ["store_cannot_forget", "store_forgets_again"]
        for place in (tmp_path / "evidence").rglob("*"):
            os.utime(place, (0, 0))
        assert store.keeping.sweep() == Swept(removed=60, missing=0)
