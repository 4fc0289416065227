"""Where the alerts of a page are found, so that no filter passes over the whole past, however rare what it wants is.

First it is looked for among the next few thousand alerts, in the order of the list. What is frequent is found there.
What is not is looked for in the series: all alerts of one camera, zone, equipment and severity, acknowledged or not,
stand in an index in the order of the list, and there are few series. Those with the newest alerts are read first, until
no other can have a newer one than the page's last. Open alerts are few and have an index of their own.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    false,
    or_,
    select,
    true,
    tuple_,
)

from service.inquiry import Place, Wanted
from service.store.schema import SERIES, alerts, series

LOOK: Final = 5_000
"""Alerts among which a page is looked for before the series are asked."""
_PLACE: Final = (alerts.c.fired_ms, alerts.c.id)
_NEWEST_FIRST: Final = tuple(column.desc() for column in _PLACE)
_ENDLESS: Final = 2**62
_WITHIN: Final = alerts.c.fired_ms.between(bindparam("since", type_=BigInteger), bindparam("until", type_=BigInteger))


def page(connection: Connection, wanted: Wanted, most: int, before: Place | None) -> list[str]:
    """Return the ids of at most `most` alerts, newest first, that stand behind a place."""
    filters = _filters(wanted)
    since = -_ENDLESS if wanted.since_ms is None else wanted.since_ms
    until = (_ENDLESS if wanted.until_ms is None else wanted.until_ms, "")
    behind = until if before is None else min(until, before)
    newest = select(*_PLACE).order_by(*_NEWEST_FIRST)
    if wanted.open:
        return _ids(connection, newest.where(*_between((since, ""), behind), *filters).limit(most))
    of_camera = [] if wanted.camera is None else [alerts.c.camera == wanted.camera]
    within = [*of_camera, *_between((since, ""), behind)]
    if len(filters) == len(of_camera):
        return _ids(connection, newest.where(*within).limit(most))
    furthest = connection.execute(newest.where(*within).offset(LOOK).limit(1)).first()
    if furthest is not None:
        within = [*of_camera, *_between((furthest[0], furthest[1]), behind)]
    near = _ids(connection, newest.where(*within, *filters).limit(most))
    if len(near) == most or furthest is None:
        return near
    return [one for _, one in _in_series(connection, wanted, most, since, behind)]


def _ids(connection: Connection, query: Select[Any]) -> list[str]:
    return [one for _, one in connection.execute(query)]


def _filters(wanted: Wanted) -> list[ColumnElement[bool]]:
    asked = {name: getattr(wanted, name) for name in ("camera", "zone", "equipment", "severity", "acknowledged")}
    columns: dict[str, ColumnElement[Any]] = dict(alerts.c)
    if wanted.open:  # as a column of an index, it would have SQLite read all that the camera ever had
        columns["camera"] = alerts.c.camera.concat("")
    found: list[ColumnElement[bool]] = [columns[name] == value for name, value in asked.items() if value is not None]
    if wanted.open is not None:
        found.append(alerts.c.ended_ms.is_(None) if wanted.open else alerts.c.ended_ms.is_not(None))
    return found


def _between(since: Place, before: Place) -> list[ColumnElement[bool]]:
    """Say that an alert stands from `since` on and before `before`; where one of them is endless, it says nothing."""
    found: list[ColumnElement[bool]] = []
    if since[0] > -_ENDLESS:
        found.append(tuple_(*_PLACE) >= since)
    if before[0] < _ENDLESS:
        found.append(tuple_(*_PLACE) < before)
    return found


def _heads() -> Select[Any]:
    """Return every series, acknowledged or not, with when its newest alert up to a moment fired; newest first."""
    said = select(false().label("acknowledged")).union_all(select(true())).subquery()
    of_it = [alerts.c[name] == series.c[name] for name in SERIES]
    upto = (*of_it, alerts.c.acknowledged == said.c.acknowledged, _WITHIN)
    newest = select(alerts.c.fired_ms).where(*upto).order_by(alerts.c.fired_ms.desc()).limit(1).scalar_subquery()
    heads = (
        select(series, said.c.acknowledged, newest.label("newest")).select_from(series.join(said, true())).subquery()
    )
    return select(heads).where(heads.c.newest.is_not(None)).order_by(heads.c.newest.desc())


_HEADS: Final = _heads()
_OF_HEAD: Final = (
    select(*_PLACE)
    .where(*(alerts.c[name] == bindparam(name) for name in (*SERIES, "acknowledged")))
    .where(_WITHIN)
    .where(or_(alerts.c.fired_ms < bindparam("until"), alerts.c.id < bindparam("before")))
    .order_by(*_NEWEST_FIRST)
    .limit(bindparam("most"))
)
_OF_ENDED: Final = _OF_HEAD.where(alerts.c.ended_ms.is_not(None))


def _in_series(connection: Connection, wanted: Wanted, most: int, since: int, before: Place) -> list[Place]:
    """Return the places of a page's alerts."""
    bounds = {"since": since, "until": before[0]}
    asked = {name: getattr(wanted, name) for name in (*SERIES, "acknowledged")}
    chosen = [_HEADS.selected_columns[name] == value for name, value in asked.items() if value is not None]
    query = _OF_ENDED if wanted.open is False else _OF_HEAD
    found: list[Place] = []
    for head in connection.execute(_HEADS.where(*chosen), bounds).mappings().all():
        if len(found) == most and found[-1][0] > head["newest"]:
            break
        this = {name: head[name] for name in (*SERIES, "acknowledged")}
        rows = connection.execute(query, {**this, **bounds, "before": before[1], "most": most})
        found = sorted((*found, *((row.fired_ms, row.id) for row in rows)), reverse=True)[:most]
    return found
