"""Messages on their way: a row for each message and endpoint, and the order in which they may leave."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    RowMapping,
    ScalarSelect,
    Select,
    Subquery,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)

from service.ports import Delivery, Endpoint, Message
from service.store.portable import insert, texts
from service.store.schema import DEAD, PENDING, deliveries, disabled_endpoints, is_pending, messages, told

MOST_REASON: Final = 500
"""Characters of a failure's reason that are kept."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What an endpoint has not got: messages that wait, the oldest one's Unix ms, and messages given up.

    Attributes:
        disabled_ms: since when it is sent nothing (Unix ms); None: it is sent what waits.
        why: why it is disabled.
    """

    pending: int
    oldest_ms: int | None
    dead: int
    disabled_ms: int | None = None
    why: str = ""


def put(connection: Connection, arriving: Iterable[Message], endpoints: Sequence[Endpoint]) -> None:
    """Put messages into the outbox of every endpoint that wants them; one kept already is left alone.

    What they tell to begin is noted when somebody is sent it, and what is over is noted always.
    """
    for message in arriving:
        row = {
            "id": message.id,
            "type": message.type,
            "camera": message.camera,
            "created_ms": message.created_ms,
            "payload": message.payload,
        }
        kept = insert(messages).values(row).on_conflict_do_nothing(index_elements=[messages.c.id])
        number = connection.scalar(kept.returning(messages.c.number))
        if number is None:
            continue
        receivers = [endpoint.name for endpoint in endpoints if endpoint.wants(message)]
        if receivers:
            fresh = {"message": number, "camera": message.camera, "state": "pending", "attempts": 0, "error": ""}
            # due at once, whatever the wall clock does
            connection.execute(insert(deliveries), [{**fresh, "endpoint": name, "next_ms": 0} for name in receivers])
        if receivers or (message.condition is not None and not message.condition.holds):
            _note(connection, message)


def _note(connection: Connection, message: Message) -> None:
    """Note the condition that a message tells to begin or to be over."""
    if message.condition is None:
        return
    row = {"camera": message.camera, "condition": message.condition.name}
    if message.condition.holds:
        connection.execute(insert(told).values(row).on_conflict_do_nothing())
    else:
        connection.execute(delete(told).where(*(told.c[name] == value for name, value in row.items())))


def alert_in(payload: str) -> str | None:
    """Return the id of the alert that a message is about, or None."""
    try:
        found = json.loads(payload)["data"]["alert"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None


def told_of(connection: Connection, camera: str) -> frozenset[str]:
    """Return the conditions of a camera that were told to begin, and not yet to be over."""
    return frozenset(connection.scalars(select(told.c.condition).where(told.c.camera == camera)))


def due(connection: Connection, endpoints: Sequence[str], now_ms: int, most: int) -> list[Delivery]:
    """Return the oldest unfinished delivery of each endpoint and camera whose time has come, oldest first.

    One that was tried later than now is due as well: the wall clock was set back. Disabled endpoints have none.
    """
    found = connection.execute(_DUE, asked(connection, endpoints, now_ms, most))
    return [delivery_of(row) for row in found.mappings()]


def asked(connection: Connection, endpoints: Sequence[str], now_ms: int, most: int) -> dict[str, Any]:
    """Return the arguments of `due_query`; disabled endpoints are left out."""
    off = all_disabled(connection)
    names = json.dumps([endpoint for endpoint in endpoints if endpoint not in off])
    return {"endpoints": names, "now_ms": now_ms, "most": most}


def delivery_of(row: RowMapping) -> Delivery:
    """Return the delivery that a row of `due_query` holds."""
    message = Message(row["id"], row["type"], row["camera"], row["created_ms"], row["payload"])
    return Delivery(message, row["endpoint"], row["attempts"])


def _heads() -> Subquery:
    """Return the oldest unfinished message of each endpoint and camera, by one step in the index for each of them.

    Grouping would read every message that waits, at every look: a long queue would take a time that grows squared.
    """
    names = texts(bindparam("endpoints")).table_valued("value")
    lanes = select(names.c.value.label("endpoint"), _least_camera(names.c.value).label("camera")).cte(recursive=True)
    further = select(lanes.c.endpoint, _least_camera(lanes.c.endpoint, lanes.c.camera))
    lanes = lanes.union_all(further.where(lanes.c.camera.is_not(None)))
    head = deliveries.alias()
    of_lane = (head.c.endpoint == lanes.c.endpoint, head.c.camera == lanes.c.camera)
    oldest = select(func.min(head.c.message)).where(is_pending(head), *of_lane).scalar_subquery()
    return select(lanes.c.endpoint, oldest.label("message")).where(lanes.c.camera.is_not(None)).subquery()


def _least_camera(endpoint: ColumnElement[Any], after: ColumnElement[Any] | None = None) -> ScalarSelect[Any]:
    """Return the first camera, in the order of their names, for which something waits at an endpoint."""
    row = deliveries.alias()
    query = select(func.min(row.c.camera)).where(is_pending(row), row.c.endpoint == endpoint)
    return (query if after is None else query.where(row.c.camera > after)).scalar_subquery()


def due_query() -> Select[Any]:
    """Return the query for what is due."""
    heads = _heads()
    now_ms: BindParameter[int] = bindparam("now_ms")
    at_head = and_(deliveries.c.endpoint == heads.c.endpoint, deliveries.c.message == heads.c.message)
    return (
        select(messages, deliveries.c.endpoint, deliveries.c.attempts)
        .select_from(heads.join(deliveries, at_head).join(messages, messages.c.number == deliveries.c.message))
        .where(or_(deliveries.c.next_ms <= now_ms, deliveries.c.tried_ms > now_ms))
        .order_by(deliveries.c.message, deliveries.c.endpoint)
        .limit(bindparam("most"))
    )


# built once: that takes longer than to run them, and both run for every message
_DUE: Final = due_query()
_MARK: Final = (
    update(deliveries)
    .where(
        deliveries.c.message == select(messages.c.number).where(messages.c.id == bindparam("id")).scalar_subquery(),
        deliveries.c.endpoint == bindparam("to"),
        PENDING,
    )
    .values(
        state=bindparam("now"),
        attempts=deliveries.c.attempts + 1,
        next_ms=bindparam("again"),
        tried_ms=bindparam("at"),
        error=bindparam("why"),
    )
)


def mark(connection: Connection, delivery: Delivery, at_ms: int, why: str, next_ms: int | None, *, done: bool) -> None:
    """Count an attempt: done, to be tried again at `next_ms`, or dead. What is finished stays as it is."""
    state = "done" if done else "dead" if next_ms is None else "pending"
    row = {"now": state, "again": next_ms or 0, "at": at_ms, "why": why[:MOST_REASON]}
    connection.execute(_MARK, {"id": delivery.message.id, "to": delivery.endpoint, **row})


def backlog(connection: Connection, endpoint: str) -> Backlog:
    """Return what an endpoint has not got."""
    of_it = deliveries.c.endpoint == endpoint
    waiting = connection.execute(
        select(func.count(), func.min(messages.c.created_ms))
        .select_from(deliveries.join(messages, messages.c.number == deliveries.c.message))
        .where(of_it, PENDING)
    ).one()
    dead = connection.scalar(select(func.count()).where(of_it, DEAD))
    return Backlog(waiting[0], waiting[1], dead or 0, *all_disabled(connection).get(endpoint, ()))


def all_disabled(connection: Connection) -> dict[str, tuple[int, str]]:
    """Return since when (Unix ms) and why endpoints are sent nothing, by their names."""
    rows = connection.execute(select(disabled_endpoints).order_by(disabled_endpoints.c.endpoint))
    return {row.endpoint: (row.since_ms, row.why) for row in rows}


def disable(connection: Connection, endpoint: Endpoint, at_ms: int, why: str) -> None:
    """Send an endpoint nothing any more; one that is disabled already stays so since then."""
    row = {"endpoint": endpoint.name, "address": endpoint.address, "since_ms": at_ms, "why": why[:MOST_REASON]}
    connection.execute(insert(disabled_endpoints).values(row).on_conflict_do_nothing())


def enable(connection: Connection, endpoint: str) -> bool:
    """Send an endpoint what waits for it; return whether it was disabled."""
    found = connection.execute(delete(disabled_endpoints).where(disabled_endpoints.c.endpoint == endpoint))
    return bool(found.rowcount)


def enable_moved(connection: Connection, endpoints: Iterable[Endpoint]) -> list[str]:
    """Enable the disabled endpoints that have a new address, and return their names."""
    off = {row.endpoint: row.address for row in connection.execute(select(disabled_endpoints))}
    moved = [one.name for one in endpoints if one.address and off.get(one.name, one.address) != one.address]
    return [name for name in moved if enable(connection, name)]
