"""A store on a disk that can only be read: a clear refusal, nothing changed, and it opens once it can be written."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.store.errors import StoreError
from service.store.store import Store
from tests.e2e.commands import eventually
from tests.store.made import alert, fired, message


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own."""
    home = tmp_path / "disk"
    home.mkdir()
    try:
        done = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(home)], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("needs mount")
    if done.returncode:
        pytest.skip(f"needs the right to mount a tmpfs: {done.stderr.strip()}")
    yield home
    subprocess.run(["umount", "--lazy", str(home)], check=True)


def remount(home: Path, how: str) -> None:
    """Mount it anew; on a busy machine the kernel calls it busy for a moment after its last file was closed."""
    assert eventually(lambda: subprocess.run(["mount", "-o", f"remount,{how}", str(home)], check=False).returncode == 0)


def test_a_read_only_disk_is_named_and_the_store_opens_when_it_is_none_any_more(disk: Path) -> None:
    with Store(disk / "store", ["room"]) as store:
        store.record([fired(alert(1))], [], [message("a")])
    before = {path: path.read_bytes() for path in disk.rglob("*") if path.is_file()}
    remount(disk, "ro")
    with pytest.raises(StoreError) as refused:
        Store(disk / "store", ["room"])
    assert refused.value.code == "STORE_IO"
    assert {path: path.read_bytes() for path in disk.rglob("*") if path.is_file()} == before
    remount(disk, "rw")
    with Store(disk / "store", ["room"]) as store:
        assert store.open_alerts("gate") == [alert(1)]


def test_where_nothing_can_be_made_no_store_is(disk: Path) -> None:
    remount(disk, "ro")
    with pytest.raises(StoreError) as refused:
        Store(disk / "store", ["room"])
    assert refused.value.code == "STORE_IO"
