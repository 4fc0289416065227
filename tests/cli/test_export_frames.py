"""``ppe evidence export`` on real stores: what leaves, what stays, and what is said of it."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from click.testing import Result

from service.inquiry import Mark
from service.lab.dataset.cards import read_card
from service.lab.dataset.prepare import read_export
from service.safety.equipment import CLASSES
from service.store.erasure import Scope
from service.store.store import Store
from tests.cli.workers import run, two_workers
from tests.lab.sites import background
from tests.store.made import START_MS, HeldClock, alert, ended, fired, still

FALSE, TAKEN = Mark("false_alarm", START_MS, "Kim", "표지판입니다."), Mark("acknowledged", START_MS, "Kim")


@cache
def jpeg(number: int) -> bytes:
    """A picture of its own kind, since copies are a fault of a dataset."""
    return cv2.imencode(".jpg", background(np.random.default_rng(number)))[1].tobytes()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store: 1 and 2 false alarms, 3 taken care of, 4 both, 5 nothing said; all of them over."""
    home = tmp_path_factory.mktemp("made") / "store"
    return store_in(home, {1: [FALSE], 2: [FALSE], 3: [TAKEN], 4: [TAKEN, FALSE], 5: []})


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "store")


def store_in(home: Path, said: dict[int, Sequence[Mark]]) -> Path:
    with Store(home, [], clock=HeldClock(START_MS + 86_400_000)) as store:
        for number, marks in said.items():
            one = alert(number)
            store.record([fired(one), ended(one)], [still(one, jpeg(number))], [])
            for mark in marks:
                store.mark(one.id, mark)
    return home


def export(folder: Path, out: Path, *more: str, on: str = "true", see: object = two_workers) -> Result:
    command = ("evidence", "export", "--out", out, *(more or ("--false-alarms", "--yes")))
    return run(*command, see=see, PPE_STORE=str(folder), PPE_LOG_LEVEL="error", PPE_EXPORT_FRAMES=on, COLUMNS="200")


def names(out: Path) -> list[str]:
    return sorted(path.stem for path in (out / "train" / "images").iterdir())


def listed(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (out / "pictures.jsonl").read_text(encoding="utf-8").splitlines()]


def test_it_is_off_until_it_is_switched_on(folder: Path, tmp_path: Path) -> None:
    told = export(folder, tmp_path / "out", on="false")
    assert told.exit_code == 2
    assert "exporting is off" in told.stderr
    assert "PPE_EXPORT_FRAMES=true" in told.stderr
    assert not (tmp_path / "out").exists()


def test_false_alarms_leave_with_what_the_weights_see(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "false-alarms"
    told = export(folder, out)
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("3 pictures of people (3 false alarms, 0 acknowledged), 18 boxes: ")
    assert names(out) == [alert(number).id for number in (1, 2, 4)]
    assert (out / "train" / "images" / f"{alert(1).id}.jpg").read_bytes() == jpeg(1)
    pictures = list(read_export(out))
    assert [sorted(box.label for box in one.boxes) for one in pictures] == [
        ["helmet", "helmet", "no-vest", "person", "person", "vest"]
    ] * 3
    person = next(box for box in pictures[0].boxes if box.label == "person")
    assert (person.cx, person.cy, person.w, person.h) == pytest.approx((0.225, 0.55, 0.25, 0.7))
    assert yaml.safe_load((out / "data.yaml").read_text())["names"] == dict(enumerate(CLASSES))
    assert (out / "train" / "classes.txt").read_text().split() == list(CLASSES)
    assert read_card(out / "false-alarms.toml").addition


def test_each_picture_says_where_it_comes_from_and_not_who(folder: Path, tmp_path: Path) -> None:
    export(folder, tmp_path / "out")
    newest = listed(tmp_path / "out")[0]
    assert newest == {
        "picture": f"train/images/{alert(4).id}.jpg",
        "alert": alert(4).id,
        "marked": "false_alarm",
        "reason": "표지판입니다.",
        "marked_at": "2025-06-15 15:06:40Z",
        "camera": "gate",
        "zone": "yard",
        "equipment": "helmet",
        "fired_at": "2025-06-15 15:06:44Z",
        "people_without": 0,
        "weights": "fake 1",
        "sha256": "0" * 64,
    }
    everything = "".join(
        path.read_text() for path in (tmp_path / "out").rglob("*") if path.suffix != ".jpg" and path.is_file()
    )
    assert "Kim" not in everything
    assert alert(4).person not in everything.split()


def test_only_the_owner_can_read_it(folder: Path, tmp_path: Path) -> None:
    export(folder, tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


def test_acknowledged_ones_come_when_they_are_asked_for(folder: Path, tmp_path: Path) -> None:
    both = export(folder, tmp_path / "both", "--false-alarms", "--acknowledged", "--yes")
    assert "(3 false alarms, 1 acknowledged)" in both.stdout
    assert {str(one["alert"]): one["marked"] for one in listed(tmp_path / "both")} == {
        **{alert(number).id: "false_alarm" for number in (1, 2, 4)},
        alert(3).id: "acknowledged",
    }
    assert export(folder, tmp_path / "taken", "--acknowledged", "--yes").exit_code == 0
    assert names(tmp_path / "taken") == [alert(3).id]


def test_since(folder: Path, tmp_path: Path) -> None:
    export(folder, tmp_path / "out", "--false-alarms", "--yes", "--since", "2025-06-15T15:06:42Z")
    assert names(tmp_path / "out") == [alert(2).id, alert(4).id]


def test_held_erased_and_forgotten_pictures_stay(folder: Path, tmp_path: Path) -> None:
    with Store(folder, [], clock=HeldClock(START_MS + 86_400_000)) as store:
        store.keeping.hold(alert(1).id, "case 7")
        store.keeping.erase(Scope(alert=alert(2).id), "letter 12")
    told = export(folder, tmp_path / "out")
    assert told.exit_code == 0
    assert names(tmp_path / "out") == [alert(4).id]
    assert f"left out, held: {alert(1).id}" in told.stderr
    assert "left out, no picture any more (erased): 1" in told.stderr


def test_it_asks_first_and_says_what_leaves(folder: Path, tmp_path: Path) -> None:
    told = export(folder, tmp_path / "out", "--false-alarms")
    assert told.exit_code != 0
    assert "Write 3 pictures of people at work, with their faces, to " in told.stderr
    assert not (tmp_path / "out").exists()


def test_the_audit_log_tells_of_it_and_the_store_stays_as_it_is(folder: Path, tmp_path: Path) -> None:
    files = {path: path.read_bytes() for path in (folder / "evidence").rglob("*.jpg")}
    export(folder, tmp_path / "out")
    assert {path: path.read_bytes() for path in (folder / "evidence").rglob("*.jpg")} == files
    with Store(folder, []) as store:
        ((_, line),) = store.keys.noted(10)
        assert (line.action, line.outcome, line.name) == ("evidence.export", "done", "command line")
        assert line.object == f"3 false alarms, 0 acknowledged to {tmp_path / 'out'}"
        assert [len(store.alert(alert(number).id).marks) for number in range(1, 6)] == [1, 1, 1, 2, 0]  # type: ignore[union-attr]


def test_faces_can_go(folder: Path, tmp_path: Path) -> None:
    told = export(folder, tmp_path / "out", "--false-alarms", "--blur-faces")
    assert "without their faces" in told.stderr
    assert export(folder, tmp_path / "out", "--false-alarms", "--blur-faces", "--yes").exit_code == 0
    before = cv2.imdecode(np.frombuffer(jpeg(1), np.uint8), cv2.IMREAD_COLOR)
    after = cv2.imread(str(tmp_path / "out" / "train" / "images" / f"{alert(1).id}.jpg"))
    assert after is not None
    changed = np.abs(after.astype(int) - before).max(axis=2) > 40
    assert changed.any()
    assert not changed[int(0.5 * len(changed)) :].any()


def test_a_damaged_picture_is_named_and_the_rest_leaves(folder: Path, tmp_path: Path) -> None:
    next((folder / "evidence").rglob(f"{alert(2).id}/clean.jpg")).write_bytes(b"\xff\xd8\xff no picture")
    told = export(folder, tmp_path / "out")
    assert told.exit_code == 1
    assert names(tmp_path / "out") == [alert(1).id, alert(4).id]
    assert f"can't be read: {alert(2).id}" in told.stderr


def test_when_no_picture_can_be_read_nothing_is_left(tmp_path: Path) -> None:
    folder = store_in(tmp_path / "store", {1: [FALSE]})
    next((folder / "evidence").rglob("clean.jpg")).write_bytes(b"\xff\xd8\xff no picture")
    told = export(folder, tmp_path / "out")
    assert told.exit_code == 2
    assert "would be empty" in told.stderr
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--yes",), "say what to export"),
        (("--false-alarms", "--yes", "--since", "yesterday"), "is no ISO 8601 time"),
        (("--false-alarms", "--yes", "--since", "2030-01-01T00:00:00Z"), "there is nothing to export"),
    ],
    ids=["nothing", "since", "future"],
)
def test_what_makes_no_sense_is_refused(folder: Path, tmp_path: Path, more: tuple[str, ...], says: str) -> None:
    told = export(folder, tmp_path / "out", *more)
    assert told.exit_code == 2
    assert says in told.stderr
    assert not (tmp_path / "out").exists()


def test_neither_the_store_nor_a_full_folder_is_written_into(folder: Path, tmp_path: Path) -> None:
    told = export(folder, folder / "export")
    assert (told.exit_code, "lies in the store's own folder" in told.stderr) == (2, True)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note").touch()
    told = export(folder, tmp_path / "full")
    assert (told.exit_code, "is not empty" in told.stderr) == (2, True)


@pytest.mark.thorough
def test_the_export_passes_the_check_without_a_fault(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(folder, out)
    told = run("dataset", "check", out, "--out", tmp_path / "report")
    assert told.exit_code == 0, told.output
    assert "fault" not in told.stdout
    assert "warning class-missing           No box of the class no-helmet" in told.stdout
    assert "card out;" in told.stderr
