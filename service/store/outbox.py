"""Messages on their way: a row for each message and endpoint, and the order in which they may leave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, and_, delete, func, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from service.ports import Delivery, Message
from service.store.schema import DEAD, PENDING, deliveries, messages, told

MOST_REASON: Final = 500
"""Characters of a failure's reason that are kept."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What an endpoint has not got: messages that wait, the oldest one's Unix ms, and messages given up."""

    pending: int
    oldest_ms: int | None
    dead: int


def put(connection: Connection, arriving: Iterable[Message], endpoints: Sequence[str]) -> None:
    """Put messages into the outbox of every endpoint and note what they tell; one kept already is left alone."""
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
        if number is not None and endpoints:
            fresh = {"message": number, "camera": message.camera, "state": "pending", "attempts": 0, "error": ""}
            # due at once, whatever the wall clock does
            connection.execute(
                insert(deliveries), [{**fresh, "endpoint": endpoint, "next_ms": 0} for endpoint in endpoints]
            )
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


def told_of(connection: Connection, camera: str) -> frozenset[str]:
    """Return the conditions of a camera that were told to begin, and not yet to be over."""
    return frozenset(connection.scalars(select(told.c.condition).where(told.c.camera == camera)))


def due(connection: Connection, endpoints: Sequence[str], now_ms: int, most: int) -> list[Delivery]:
    """Return the oldest unfinished delivery of each endpoint and camera whose time has come, oldest first.

    One that was tried later than now is due as well: the wall clock was set back.
    """
    heads = (
        select(deliveries.c.endpoint, func.min(deliveries.c.message).label("message"))
        .where(PENDING, deliveries.c.endpoint.in_(endpoints))
        .group_by(deliveries.c.endpoint, deliveries.c.camera)
        .subquery()
    )
    at_head = and_(deliveries.c.endpoint == heads.c.endpoint, deliveries.c.message == heads.c.message)
    query = (
        select(messages, deliveries.c.endpoint, deliveries.c.attempts)
        .select_from(heads.join(deliveries, at_head).join(messages, messages.c.number == deliveries.c.message))
        .where(or_(deliveries.c.next_ms <= now_ms, deliveries.c.tried_ms > now_ms))
        .order_by(deliveries.c.message, deliveries.c.endpoint)
        .limit(most)
    )
    return [
        Delivery(
            Message(row["id"], row["type"], row["camera"], row["created_ms"], row["payload"]),
            row["endpoint"],
            row["attempts"],
        )
        for row in connection.execute(query).mappings()
    ]


def mark(connection: Connection, delivery: Delivery, at_ms: int, why: str, next_ms: int | None, *, done: bool) -> None:
    """Count an attempt: done, to be tried again at `next_ms`, or dead. What is finished stays as it is."""
    number = select(messages.c.number).where(messages.c.id == delivery.message.id).scalar_subquery()
    connection.execute(
        update(deliveries)
        .where(deliveries.c.message == number, deliveries.c.endpoint == delivery.endpoint, PENDING)
        .values(
            state="done" if done else "dead" if next_ms is None else "pending",
            attempts=deliveries.c.attempts + 1,
            next_ms=next_ms or 0,
            tried_ms=at_ms,
            error=why[:MOST_REASON],
        )
    )


def backlog(connection: Connection, endpoint: str) -> Backlog:
    """Return what an endpoint has not got."""
    of_it = deliveries.c.endpoint == endpoint
    waiting = connection.execute(
        select(func.count(), func.min(messages.c.created_ms))
        .select_from(deliveries.join(messages, messages.c.number == deliveries.c.message))
        .where(of_it, PENDING)
    ).one()
    dead = connection.scalar(select(func.count()).where(of_it, DEAD))
    return Backlog(waiting[0], waiting[1], dead or 0)
