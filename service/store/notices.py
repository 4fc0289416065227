"""What people are to be told, and what they were posted: a row for each message and channel, and one for each post."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Select, cast, delete, exists, extract, func, insert, or_, select, update

from service.ports import Message, PostMade, Standing
from service.store import outbox
from service.store.database import Database
from service.store.portable import insert as upsert
from service.store.schema import alerts, marks, messages, notices, posts, speakers

LET_GO: Final = 0
"""Stands where a post's number would: nobody was told, and nobody will be."""
KEPT_MS: Final = 7 * 86_400_000
"""How long what was told, and the posts that told it, are kept."""
SPEAKS_MS: Final = 120_000
"""How long nobody else posts to a channel once one process has: longer than a post takes, and the look before it."""
_MOST: Final = 500
"""Names in one query."""
_FRESH: Final = notices.c.post.is_(None)
_NOW: Final = cast(extract("epoch", func.clock_timestamp()) * 1000, BigInteger)


class Noticed:
    """`ports.Notices` on an open database. Any thread may call it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._who = secrets.token_hex(8)  # among the processes that share the database

    @property
    def shared(self) -> bool:
        """Whether other processes file notices as well, of which nobody here is woken."""
        return self._database.shared

    def file(self, channels: Sequence[str], message: str) -> None:
        """Keep a message of the outbox, by its id, as fresh for channels; what one has already is left alone."""
        with self._database.transaction() as connection:
            for channel in channels:
                _file(connection, channel, [message])

    def fresh(self, channel: str, most: int) -> list[Message]:
        """Return what a channel was not told yet, oldest first; of more than `most`, alerts of high severity first.

        What is not high is held in quiet hours, and however much that is, it hides nothing.
        """
        fresh = _query().where(notices.c.channel == channel, _FRESH)
        high = exists().where(alerts.c.id == notices.c.alert, alerts.c.severity == "high")
        with self._database.reading() as connection:
            found = _messages(connection, fresh.order_by(notices.c.message).limit(most + 1))
            if len(found) <= most:
                return found
            picked = fresh.add_columns(messages.c.number).order_by(high.desc(), notices.c.message).limit(most)
            rows = sorted(connection.execute(picked), key=lambda row: row.number)
        return [Message(*row[:-1]) for row in rows]

    def unsaid(self, channel: str, alerts: Collection[str]) -> frozenset[str]:
        """Return which of these alerts a channel was never told to have fired, because that was let go."""
        asked, found = sorted(alerts), set[str]()
        query = select(notices.c.alert).join(messages, messages.c.number == notices.c.message)
        query = query.where(notices.c.channel == channel, notices.c.post == LET_GO, messages.c.type == "alert.fired")
        with self._database.reading() as connection:
            for start in range(0, len(asked), _MOST):
                some = query.where(notices.c.alert.in_(asked[start : start + _MOST]))
                found.update(connection.scalars(some))
        return frozenset(found)

    def told(self, channel: str, since_ms: int, most: int) -> list[Message]:
        """Return what a channel was told of alerts that are open, or fired since then; the newest, oldest first."""
        recent = or_(messages.c.created_ms >= since_ms, alerts.c.ended_ms.is_(None))
        query = (
            _query()
            .join(alerts, alerts.c.id == notices.c.alert)
            .where(notices.c.channel == channel, notices.c.post > LET_GO, messages.c.type == "alert.fired", recent)
            .order_by(notices.c.message.desc())
            .limit(most)
        )
        with self._database.reading() as connection:
            return _messages(connection, query)[::-1]

    def posts(self, channel: str, since_ms: int) -> list[PostMade]:
        """Return what was posted since then, oldest first."""
        query = select(posts).where(posts.c.channel == channel, posts.c.at_ms >= since_ms).order_by(posts.c.id)
        with self._database.reading() as connection:
            found = connection.execute(query).mappings().all()
        return [PostMade(row["at_ms"], row["kind"], tuple(map(tuple, json.loads(row["about"])))) for row in found]

    def standings(self, alerts: Collection[str]) -> dict[str, Standing]:
        """Return how alerts stand, by their ids; one that is not kept (any more) is left out."""
        asked, found = sorted(set(alerts)), {}
        with self._database.reading() as connection:
            for start in range(0, len(asked), _MOST):
                found.update(_standings(connection, asked[start : start + _MOST]))
        return found

    def settle(self, channel: str, post: PostMade | None, told: Collection[str], let_go: Collection[str] = ()) -> None:
        """Keep in one transaction that a post told of messages, and that others are told no more."""
        with self._database.transaction() as connection:
            if post is not None:
                _mark(connection, channel, told, _post(connection, channel, post))
                _forget(connection, channel, post.at_ms - KEPT_MS)
            _mark(connection, channel, let_go, LET_GO)

    def escalate(self, channel: str, post: PostMade, to: Sequence[str], messages: Collection[str]) -> None:
        """Keep in one transaction that other channels are to be told of messages, and that this was done."""
        with self._database.transaction() as connection:
            for other in to:
                _file(connection, other, messages)
            _post(connection, channel, post)

    def speaks(self, channel: str) -> bool:
        """Tell whether this process is the one that posts to a channel; it is for two minutes from now on."""
        if not self._database.shared:
            return True
        mine = upsert(speakers).values(channel=channel, who=self._who, until_ms=_NOW + SPEAKS_MS)
        free = or_(speakers.c.who == self._who, speakers.c.until_ms <= _NOW)
        taken = mine.on_conflict_do_update(
            index_elements=[speakers.c.channel],
            set_={"who": mine.excluded.who, "until_ms": mine.excluded.until_ms},
            where=free,
        )
        with self._database.transaction(durable=False) as connection:
            return bool(connection.scalar(taken.returning(speakers.c.who)) == self._who)

    def leave(self) -> None:
        """Leave the channels to other processes, at the end of this one."""
        if self._database.shared:
            with self._database.transaction(durable=False) as connection:
                connection.execute(delete(speakers).where(speakers.c.who == self._who))


def _query() -> Select[Any]:
    wanted = [messages.c[name] for name in ("id", "type", "camera", "created_ms", "payload")]
    return select(*wanted).join_from(notices, messages, messages.c.number == notices.c.message)


def _messages(connection: Connection, query: Select[Any]) -> list[Message]:
    return [Message(*row) for row in connection.execute(query)]


def _file(connection: Connection, channel: str, ids: Collection[str]) -> None:
    there = select(notices.c.message).where(notices.c.channel == channel)
    query = select(messages.c.number, messages.c.payload).where(
        messages.c.id.in_(list(ids)), messages.c.number.not_in(there)
    )
    rows = [
        {"channel": channel, "message": number, "alert": outbox.alert_in(payload)}
        for number, payload in connection.execute(query.order_by(messages.c.number)).all()
    ]
    if rows:
        connection.execute(insert(notices), rows)


def _post(connection: Connection, channel: str, post: PostMade) -> int:
    row = {"channel": channel, "at_ms": post.at_ms, "kind": post.kind, "about": json.dumps(post.groups)}
    return int(connection.execute(insert(posts).returning(posts.c.id), row).scalar_one())


def _mark(connection: Connection, channel: str, ids: Collection[str], post: int) -> None:
    asked = sorted(ids)
    for start in range(0, len(asked), _MOST):
        numbers = select(messages.c.number).where(messages.c.id.in_(asked[start : start + _MOST]))
        of_it = (notices.c.channel == channel, notices.c.message.in_(numbers), _FRESH)
        connection.execute(update(notices).where(*of_it).values(post=post))


def _forget(connection: Connection, channel: str, before_ms: int) -> None:
    """Remove old posts of a channel, and what they told of alerts that have ended."""
    old = select(posts.c.id).where(posts.c.channel == channel, posts.c.at_ms < before_ms)
    unended = select(alerts.c.id).where(alerts.c.ended_ms.is_(None))
    done = or_(notices.c.alert.is_(None), notices.c.alert.not_in(unended))
    connection.execute(delete(notices).where(notices.c.channel == channel, notices.c.post.in_(old), done))
    connection.execute(delete(posts).where(posts.c.id.in_(old)))


def _standings(connection: Connection, ids: Sequence[str]) -> dict[str, Standing]:
    said: dict[str, dict[str, int | None]] = {}
    query = select(marks.c.alert, marks.c.kind, marks.c.until_ms).where(marks.c.alert.in_(ids)).order_by(marks.c.id)
    for alert, kind, until_ms in connection.execute(query):
        said.setdefault(alert, {})[kind] = until_ms
    rows = connection.execute(select(alerts.c.id, alerts.c.ended_ms).where(alerts.c.id.in_(ids)))
    return {
        alert: Standing(
            open=ended_ms is None,
            acknowledged="acknowledged" in said.get(alert, {}),
            false_alarm="false_alarm" in said.get(alert, {}),
            snoozed_until_ms=said.get(alert, {}).get("snoozed"),
        )
        for alert, ended_ms in rows
    }
