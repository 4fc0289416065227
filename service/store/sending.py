"""The half of the store that couriers work with: what is due, and how it went."""

from __future__ import annotations

from service.ports import Delivery, Endpoint
from service.store import leases, outbox
from service.store.database import Database


class Sending:
    """`ports.Outbox` on an open database. Any thread may call it.

    Where other processes share the database, what is due is leased to this one (`leases`).
    """

    _database: Database
    _endpoints: tuple[Endpoint, ...]
    _lessee: str

    def due(self, now_ms: int, most: int = 100) -> list[Delivery]:
        """Return deliveries whose time has come, oldest first; of an endpoint and camera only the oldest unfinished.

        Messages of endpoints that the store was opened without wait until it is opened with them.
        """
        names = [endpoint.name for endpoint in self._endpoints]
        with self._database.transaction(durable=False) as connection:
            if self._database.shared:
                return leases.due(connection, self._lessee, names, now_ms, most)
            return outbox.due(connection, names, now_ms, most)

    def delivered(self, delivery: Delivery, at_ms: int) -> None:
        """Mark a delivery as done; a loss of power may undo the newest marks, and the message is sent once more."""
        self._mark(delivery, at_ms, "", None, done=True)

    def failed(self, delivery: Delivery, at_ms: int, why: str, next_ms: int | None) -> None:
        """Count a failed attempt; try again at `next_ms`, or never (dead) when it is None."""
        self._mark(delivery, at_ms, why, next_ms, done=False)

    def _mark(self, delivery: Delivery, at_ms: int, why: str, next_ms: int | None, *, done: bool) -> None:
        with self._database.transaction(durable=False) as connection:
            outbox.mark(connection, delivery, at_ms, why, next_ms, done=done)
            if self._database.shared:
                leases.finish(connection, self._lessee, delivery)

    def disable(self, delivery: Delivery, at_ms: int, why: str) -> None:
        """Count a failed attempt after which its endpoint is sent nothing, until it has a new address or is enabled."""
        endpoint = next((one for one in self._endpoints if one.name == delivery.endpoint), Endpoint(delivery.endpoint))
        with self._database.transaction() as connection:
            outbox.mark(connection, delivery, at_ms, why, at_ms, done=False)
            outbox.disable(connection, endpoint, at_ms, why)

    def leave(self) -> None:
        """Leave what is due to other processes, at the end of this one."""
        if self._database.shared:
            with self._database.transaction(durable=False) as connection:
                leases.leave(connection, self._lessee)

    def backlog(self) -> dict[str, outbox.Backlog]:
        """Return for every endpoint what it has not got."""
        with self._database.reading() as connection:
            return {one.name: outbox.backlog(connection, one.name) for one in self._endpoints}
