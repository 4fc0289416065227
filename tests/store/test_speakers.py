"""Several processes share a database: one of them speaks to a channel, for longer than a post takes."""

from __future__ import annotations

from pathlib import Path

from service.delivery.announcer import SOON
from service.delivery.apprise_poster import DEADLINE
from service.store.notices import SPEAKS_MS
from service.store.store import Store
from tests.postgres import Server


def test_who_speaks_does_so_for_longer_than_a_post_takes_and_until_they_leave(postgres: Server, tmp_path: Path) -> None:
    address = postgres.emptied()
    with Store(tmp_path, [], address=address) as other:
        with Store(tmp_path, [], address=address) as one:
            assert one.notices.speaks("office")
            assert one.notices.shared
            assert not other.notices.speaks("office")
            assert other.notices.speaks("office/2")
            slow = round(1000 * (DEADLINE + SOON)) + 30_000
            postgres.execute(address.database, f"UPDATE speakers SET until_ms = until_ms - {slow}")
            assert not other.notices.speaks("office")
            assert one.notices.speaks("office")
            postgres.execute(address.database, f"UPDATE speakers SET until_ms = until_ms - {SPEAKS_MS}")
            assert other.notices.speaks("office")
            assert not one.notices.speaks("office")
            assert one.notices.speaks("boss")
            assert not other.notices.speaks("boss")
        assert other.notices.speaks("boss")
