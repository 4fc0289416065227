"""``ppe store``: a store in use is backed up and restored from the command line, and nothing is overwritten."""

from __future__ import annotations

from pathlib import Path

from click.testing import Result

from service.store.store import Store
from tests.cli.workers import run
from tests.store.made import alert, fired, still


def ppe(folder: Path, *arguments: str, **environment: str) -> Result:
    return run("store", *arguments, PPE_STORE=str(folder), PPE_LOG_LEVEL="error", COLUMNS="200", **environment)


def test_a_store_in_use_is_backed_up_and_restored(tmp_path: Path) -> None:
    home, file, again = tmp_path / "store", tmp_path / "backup.tar", tmp_path / "again"
    with Store(home, []) as store:
        store.record([fired(alert(1))], [still(alert(1))], [])
        made = ppe(home, "backup", str(file))
    assert (made.exit_code, made.stderr) == (0, "")
    assert made.stdout.startswith(f"{file}: 1 alerts, 1 pictures and clips (0.0 MiB), database 0.")
    done = ppe(home, "restore", str(file), "--into", str(again))
    assert done.exit_code == 0
    assert done.stdout.startswith(f"{again}: 1 alerts, 1 pictures and clips")
    with Store(again, []) as store:
        assert store.picture(alert(1).id, "clean") is not None
    for arguments in (["backup", str(file)], ["restore", str(file), "--into", str(again)]):
        refused = ppe(home, *arguments)
        assert refused.exit_code == 2
        assert "overwrites nothing" in refused.stderr or "is not empty" in refused.stderr


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    assert "there is no store in" in ppe(tmp_path / "none", "backup", str(tmp_path / "x")).stderr
    assert "there is no file" in ppe(tmp_path, "restore", str(tmp_path / "x"), "--into", str(tmp_path / "y")).stderr
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_postgresql_is_its_servers_to_back_up(tmp_path: Path) -> None:
    refused = ppe(tmp_path, "backup", str(tmp_path / "x"), PPE_DATABASE="postgresql://ppe@db/ppe")
    assert refused.exit_code == 2
    assert "pg_dump" in refused.stderr
