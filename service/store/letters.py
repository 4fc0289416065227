"""What became of messages: listed page by page, and sent once more under the same id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, bindparam, select, tuple_, update

from service.inquiry import DeliveryState, EndpointReport, Place, Posted, Sent
from service.ports import Endpoint
from service.store import outbox
from service.store.database import Database
from service.store.schema import DEAD, PENDING, deliveries, messages

REPLAYED: Final = " replayed"
"""Ends the name of the line in which a camera's replayed messages stand: they hold up none of its new ones."""
ERASED: Final = "{}"
"""Payload of a message that was erased."""
_DONE: Final = deliveries.c.state == "done"
_STATES: Final[dict[DeliveryState, ColumnElement[bool]]] = {"pending": PENDING, "delivered": _DONE, "dead": DEAD}
_NAMES: Final[dict[str, DeliveryState]] = {"pending": "pending", "done": "delivered", "dead": "dead"}
_PLACE: Final = (deliveries.c.message, deliveries.c.endpoint)
_AGAIN: Final = (
    update(deliveries)
    .where(deliveries.c.message == bindparam("number"), deliveries.c.endpoint == bindparam("name"))
    .values(state="pending", attempts=0, next_ms=0, tried_ms=None, error="", camera=bindparam("lane"))
)

log = structlog.get_logger(__name__)


class Letters:
    """`inquiry.MessageRecords` on an open database. Any thread may call it."""

    _database: Database
    _endpoints: tuple[Endpoint, ...]

    def find_messages(self, wanted: Posted, most: int, before: Place | None = None) -> list[Sent]:
        """Return at most `most`, newest first, one for each endpoint; the next page is before the last one's place."""
        query = _query().where(*_conditions(wanted)).order_by(*(column.desc() for column in _PLACE)).limit(most)
        if before is not None:
            query = query.where(tuple_(*_PLACE) < before)
        with self._database.reading() as connection:
            return [_sent(row) for row in connection.execute(query).mappings()]

    def replay(self, message: str, endpoint: str | None = None) -> list[Sent] | None:
        """Send a message once more under its id, to where it is dead; return how it stands for each endpoint."""
        of_it = [messages.c.id == message, *([] if endpoint is None else [deliveries.c.endpoint == endpoint])]
        with self._database.transaction() as connection:
            _replay(connection, *of_it, DEAD if endpoint is None else ~PENDING)
            query = _query().where(*of_it).order_by(deliveries.c.endpoint)
            return [_sent(row) for row in connection.execute(query).mappings()] or None

    def replay_dead(self, endpoint: str, since_ms: int) -> int:
        """Send an endpoint once more what it was given up for and happened since then; return how many messages."""
        with self._database.transaction() as connection:
            return _replay(connection, deliveries.c.endpoint == endpoint, messages.c.created_ms >= since_ms, DEAD)

    def endpoint_reports(self) -> list[EndpointReport]:
        """Return a report for each endpoint, in the order of the site file."""
        with self._database.reading() as connection:
            found = [(one.name, outbox.backlog(connection, one.name)) for one in self._endpoints]
        return [
            EndpointReport(name, left.pending, left.oldest_ms, left.dead, left.disabled_ms, left.why)
            for name, left in found
        ]

    def disabled(self) -> dict[str, tuple[int, str]]:
        """Return since when (Unix ms) and why endpoints are sent nothing, by their names."""
        with self._database.reading() as connection:
            return outbox.all_disabled(connection)

    def enable(self, endpoint: str) -> bool:
        """Send an endpoint what waits for it; return whether it was disabled."""
        with self._database.transaction() as connection:
            return outbox.enable(connection, endpoint)

    def enable_moved(self) -> None:
        """Enable the disabled endpoints that have a new address, and say of the others that they are disabled."""
        with self._database.transaction() as connection:
            moved = outbox.enable_moved(connection, self._endpoints)
            left = outbox.all_disabled(connection)
        for name in moved:
            log.info("endpoint is enabled", endpoint=name, why="it has a new address")
        for name in left.keys() & {endpoint.name for endpoint in self._endpoints}:
            log.warning("endpoint is disabled", endpoint=name, since_ms=left[name][0], why=left[name][1])


def known(endpoints: Iterable[str | Endpoint]) -> tuple[Endpoint, ...]:
    """Return endpoints, each once; a bare name wants every message."""
    found: dict[str, Endpoint] = {}
    for one in endpoints:
        endpoint = one if isinstance(one, Endpoint) else Endpoint(one)
        found.setdefault(endpoint.name, endpoint)
    return tuple(found.values())


def _replay(connection: Connection, *which: ColumnElement[bool]) -> int:
    """Put finished deliveries into their camera's line of replays; return how many."""
    found = connection.execute(
        select(*_PLACE, messages.c.camera)
        .join_from(deliveries, messages, messages.c.number == deliveries.c.message)
        .where(*which, messages.c.payload != ERASED)
    )
    lanes = [{"number": number, "name": name, "lane": f"{camera}{REPLAYED}"} for number, name, camera in found]
    if lanes:
        connection.execute(_AGAIN, lanes)
    return len(lanes)


def _query() -> Select[Any]:
    shown = [deliveries.c[name] for name in ("endpoint", "state", "attempts", "next_ms", "tried_ms", "error")]
    about = [messages.c[name] for name in ("number", "id", "type", "camera", "created_ms")]
    return select(*about, *shown).join_from(deliveries, messages, messages.c.number == deliveries.c.message)


def _conditions(wanted: Posted) -> list[ColumnElement[bool]]:
    asked: list[tuple[ColumnElement[Any], Any]] = [
        (deliveries.c.endpoint, wanted.endpoint),
        (messages.c.camera, wanted.camera),
        (messages.c.type, wanted.type),
    ]
    found: list[ColumnElement[bool]] = [column == value for column, value in asked if value is not None]
    if wanted.state is not None:
        found.append(_STATES[wanted.state])
    if wanted.since_ms is not None:
        found.append(messages.c.created_ms >= wanted.since_ms)
    if wanted.until_ms is not None:
        found.append(messages.c.created_ms < wanted.until_ms)
    return found


def _sent(row: RowMapping) -> Sent:
    shown = {name: row[name] for name in ("number", "id", "type", "camera", "created_ms", "endpoint", "attempts")}
    waits = row["state"] == "pending" and row["next_ms"] > 0
    return Sent(
        **shown,
        state=_NAMES[row["state"]],
        tried_ms=row["tried_ms"],
        next_ms=row["next_ms"] if waits else None,
        error=row["error"],
    )
