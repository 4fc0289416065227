"""A service with API keys, a clock that stands where it is put, and clients that hold keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from service.api.audit import Audit
from service.api.gate import Access
from service.api.keyring import Caller, Keyring
from service.api.rates import Rates
from service.detectors.fake import FakeDetector
from service.keys import Entry, KeyRecords, Scope
from service.store.fake_keys import FakeKeys
from tests.api.conftest import build, serving
from tests.api.made_pictures import see
from tests.api.watched import Made

FILE = "0123456789abcdef" * 2
"""The key of PPE_ADMIN_KEY_FILE."""
MAKER = Caller(None, "test")


@dataclass
class Keyed:
    """A desk behind a gate. `tokens` has a key of each scope, by the scope's name."""

    made: Made = field(default_factory=Made)
    records: FakeKeys = field(default_factory=FakeKeys)
    tokens: dict[str, str] = field(default_factory=dict)
    url: str = ""

    def entries(self) -> list[Entry]:
        """The audit log without the making of the test's own keys."""
        return [entry for entry in self.records.entries if entry.name != "test"]

    def client(self, scope: Scope | None = None, **headers: str) -> httpx.Client:
        """A client with the key of a scope, or with none."""
        told = {"Authorization": f"Bearer {self.tokens[scope]}"} if scope else {}
        return httpx.Client(base_url=self.url, timeout=60, headers={**told, **headers})


@contextmanager
def keyed(per_minute: int = 0, records: KeyRecords | None = None) -> Iterator[Keyed]:
    """Serve a desk that needs keys."""
    found = Keyed()
    clock = found.made.clock
    kept = records or found.records
    keyring = Keyring(kept, clock, FILE)
    scopes: tuple[Scope, ...] = ("detect", "read", "operate", "admin")
    found.tokens = {scope: keyring.make(f"{scope} key", [scope], MAKER)[0] for scope in scopes}
    access = Access(keyring, None, Rates(per_minute, clock), Audit(kept, clock))
    with serving(build(FakeDetector(see), found.made.desk(), access)) as url:
        found.url = url
        yield found
