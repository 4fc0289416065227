"""Several processes share an outbox: each delivery is one's at a time, and what a dead one had goes to the others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import URL

from service.delivery.courier import Courier
from service.ports import Attempt, Delivery, Message
from service.store.store import Store
from tests.conftest import ROOT
from tests.postgres import Server
from tests.store.made import START_MS, HeldClock, message

CAMERAS = ("dock", "gate", "roof")


@pytest.fixture
def address(postgres: Server) -> URL:
    return postgres.emptied()


@pytest.fixture
def one(address: URL, tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path, ["room"], address=address) as store:
        yield store


@pytest.fixture
def other(address: URL, one: Store, tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path, ["room"], address=address) as store:
        yield store


def ids(due: list[Delivery]) -> list[str]:
    return [delivery.message.id for delivery in due]


def half_a_minute_passes(server: Server, address: URL) -> None:
    """By the database's clock: nobody renewed what is leased."""
    server.execute(address.database, "UPDATE leases SET until_ms = until_ms - 30000")


def put(store: Store, count: int) -> dict[str, list[str]]:
    """Put messages into the outbox, in turn for each camera; return their ids by camera."""
    names = {camera: [f"{camera}-{number:02}" for number in range(count)] for camera in CAMERAS}
    store.record([], [], [message(names[camera][number], camera) for number in range(count) for camera in CAMERAS])
    return names


@dataclass
class Receiver:
    """Takes everything; knows what it got, in order."""

    got: list[str] = field(default_factory=list)

    def send(self, message: Message) -> Attempt:
        self.got.append(message.id)
        return Attempt(done=True)


def test_what_one_has_the_other_is_not_given(one: Store, other: Store) -> None:
    put(one, 2)
    mine = one.due(START_MS, most=2)
    assert ids(mine) == ["dock-00", "gate-00"]
    assert ids(other.due(START_MS)) == ["roof-00"]
    assert ids(one.due(START_MS)) == ["dock-00", "gate-00"]  # its own again, as from an outbox of its own
    one.delivered(mine[0], START_MS)
    assert ids(other.due(START_MS)) == ["roof-00", "dock-01"]  # whose message before has arrived


def test_what_failed_is_anybodys(one: Store, other: Store) -> None:
    put(one, 1)
    first = one.due(START_MS)[0]
    one.failed(first, START_MS, "no answer", START_MS + 5000)
    assert other.due(START_MS + 4999) == []
    assert [(again.message.id, again.attempts) for again in other.due(START_MS + 5000)] == [("dock-00", 1)]
    assert "dock-00" not in ids(one.due(START_MS + 5000))


def test_who_looks_on_keeps_it_and_who_does_not_loses_it(
    one: Store, other: Store, postgres: Server, address: URL
) -> None:
    put(one, 1)
    late = one.due(START_MS)
    postgres.execute(address.database, "UPDATE leases SET until_ms = until_ms - 20000")
    assert len(one.due(START_MS)) == 3  # renewed
    postgres.execute(address.database, "UPDATE leases SET until_ms = until_ms - 20000")
    assert other.due(START_MS) == []
    half_a_minute_passes(postgres, address)
    assert len(other.due(START_MS)) == 3
    assert one.due(START_MS) == []
    one.delivered(late[0], START_MS)  # it did arrive; the other's attempt comes under the same id
    assert ids(other.due(START_MS)) == ["gate-00", "roof-00"]


def test_who_closes_leaves_what_it_had(one: Store, other: Store) -> None:
    put(one, 1)
    assert len(one.due(START_MS)) == 3
    one.close()
    assert len(other.due(START_MS)) == 3


def test_a_courier_goes_on_where_another_was_killed(one: Store, other: Store, postgres: Server, address: URL) -> None:
    names = put(one, 4)
    receiver = Receiver()
    clock = HeldClock(START_MS)
    killed = one.due(START_MS)
    receiver.send(killed[0].message)  # and killed before it could say so
    courier = Courier(other, {"room": receiver}, clock)
    assert courier.deliver_due() == 0
    half_a_minute_passes(postgres, address)
    while courier.deliver_due():
        pass
    courier.close()
    assert receiver.got.count("dock-00") == 2
    assert len(receiver.got) == len(set(receiver.got)) + 1
    for camera, expected in names.items():
        arrived = list(dict.fromkeys(name for name in receiver.got if name.startswith(camera)))
        assert arrived == expected


SENDING = """
import sys, threading
from pathlib import Path
from sqlalchemy import make_url
from service.delivery.courier import Courier
from service.ports import Attempt
from service.store.store import Store
from service.telemetry import configure_logging
from service.worker.clock import SystemClock

configure_logging("error", "console")

class Printing:
    def send(self, message):
        print(message.id, flush=True)
        return Attempt(done=True)

with Store(Path(sys.argv[1]), ["room"], address=make_url(sys.argv[2])) as store:
    courier = Courier(store, {"room": Printing()}, SystemClock())
    print("ready", flush=True)
    sys.stdin.readline()
    while store.backlog()["room"].pending:
        courier.deliver_due()
    courier.close()
"""


@pytest.mark.thorough
def test_a_killed_process_loses_and_turns_around_nothing(
    one: Store, postgres: Server, address: URL, tmp_path: Path
) -> None:
    names = put(one, 30)
    command = [sys.executable, "-c", SENDING, str(tmp_path), str(address)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    first, second = (subprocess.Popen(command, **pipes) for _ in range(2))  # type: ignore[call-overload]
    lines: list[str] = []
    for process in (first, second):
        while process.stdout.readline() != "ready\n":
            pass
    first.stdin.write("\n")
    first.stdin.flush()
    lines += [first.stdout.readline().strip() for _ in range(10)]
    second.stdin.write("\n")
    second.stdin.flush()
    first.kill()
    lines += first.stdout.read().split()
    first.wait()
    half_a_minute_passes(postgres, address)
    lines += second.communicate(timeout=60)[0].split()
    assert second.returncode == 0
    assert len(lines) - len(set(lines)) <= len(CAMERAS)  # what was sent, and not yet marked
    for camera, expected in names.items():
        assert list(dict.fromkeys(name for name in lines if name.startswith(camera))) == expected
