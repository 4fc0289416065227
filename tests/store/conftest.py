"""Tests of the store run once more on PostgreSQL, where they ask nothing of SQLite itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from service.store.store import Store
from tests.postgres import Server

ON_BOTH = {"clips", "erasure", "evidence", "keeping", "outbox_order", "recordings", "statistics", "sweep"}
OF_SQLITE = {
    "test_waiting_work_is_found_without_reading_the_past",  # a plan of SQLite's
    "test_an_erased_alert_keeps_what_names_nobody",  # looks for it in SQLite's files
    "test_a_transaction_that_fails_leaves_a_file_at_most",  # a trigger in SQLite's words
    "test_many_rows_are_swept_page_by_page",  # rows put in past the store, in SQLite's words
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    module = metafunc.module.__name__.rpartition(".test_")[2]
    if module in ON_BOTH and metafunc.function.__name__ not in OF_SQLITE:
        thorough = pytest.param("postgres", marks=pytest.mark.thorough)
        metafunc.parametrize("kept_in", ["sqlite", thorough], indirect=True)


@pytest.fixture(autouse=True)
def kept_in(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the stores of a test keep their rows on a server: a database for each folder."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return
    server: Server = request.getfixturevalue("postgres")
    known: dict[Path, URL] = {}

    class OnServer(Store):
        def __init__(self, folder: Path, *arguments: Any, **named: Any) -> None:
            if folder not in known:
                known[folder] = server.fresh()
            super().__init__(folder, *arguments, address=known[folder], **named)

    monkeypatch.setattr(request.module, "Store", OnServer)
