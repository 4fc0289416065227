"""Who sends what, where several processes share one outbox: a delivery is leased by one of them, for half a minute.

A lease is renewed at every look, and ends when it is not: a process that was killed, hangs, or can't reach the database
for so long loses what it had to the others. The database's clock says when that is. Nothing is sent behind a message
that is leased to somebody else, because that one is the oldest unfinished of its endpoint and camera.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    and_,
    bindparam,
    cast,
    delete,
    extract,
    func,
    or_,
    select,
    update,
)

from service.ports import Delivery
from service.store import outbox
from service.store.portable import insert
from service.store.schema import deliveries, leases, messages

LEASE_MS: Final = 30_000
"""Milliseconds for which a lease is taken; it is renewed when less than half of them are left."""
_NOW: Final = cast(extract("epoch", func.clock_timestamp()) * 1000, BigInteger)
_OURS: Final = leases.c.lessee == bindparam("who")
_RENEW: Final = update(leases).where(_OURS, leases.c.until_ms < _NOW + LEASE_MS // 2).values(until_ms=_NOW + LEASE_MS)
_TAKE: Final = insert(leases).values(until_ms=_NOW + LEASE_MS)
_TAKE_OVER: Final = _TAKE.on_conflict_do_update(
    index_elements=list(leases.primary_key),
    set_={"lessee": _TAKE.excluded.lessee, "until_ms": _TAKE.excluded.until_ms},
)
_FINISH: Final = delete(leases).where(
    _OURS,
    leases.c.message == select(messages.c.number).where(messages.c.id == bindparam("id")).scalar_subquery(),
    leases.c.endpoint == bindparam("to"),
)
_LEAVE: Final = delete(leases).where(_OURS)


def _query() -> Select[Any]:
    of_it = and_(leases.c.message == deliveries.c.message, leases.c.endpoint == deliveries.c.endpoint)
    free = or_(leases.c.lessee.is_(None), leases.c.until_ms <= _NOW)
    mine = func.coalesce(_OURS, False).label("mine")
    return outbox.due_query().add_columns(mine).outerjoin(leases, of_it).where(or_(free, _OURS))


_DUE: Final = _query()


def due(connection: Connection, who: str, endpoints: Sequence[str], now_ms: int, most: int) -> list[Delivery]:
    """Return what `outbox.due` does, as far as nobody else has it, and lease it to `who`."""
    connection.execute(_RENEW, {"who": who})
    asked = {**outbox.asked(connection, endpoints, now_ms, most), "who": who}
    found = connection.execute(_DUE, asked).mappings().all()
    taken = [{"message": row["number"], "endpoint": row["endpoint"], "lessee": who} for row in found if not row["mine"]]
    if taken:
        connection.execute(_TAKE_OVER, taken)
    return [outbox.delivery_of(row) for row in found]


def finish(connection: Connection, who: str, delivery: Delivery) -> None:
    """Give a lease back whose attempt was marked; one that somebody else has taken over is theirs."""
    connection.execute(_FINISH, {"who": who, "id": delivery.message.id, "to": delivery.endpoint})


def leave(connection: Connection, who: str) -> None:
    """Give back all that `who` has leased."""
    connection.execute(_LEAVE, {"who": who})
