"""Messages leave as webhooks: signed POSTs, as the Standard Webhooks specification says."""

from __future__ import annotations

import base64
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import metadata
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import httpcore
from pydantic import AnyHttpUrl

from service.addresses import reach, resolve
from service.delivery.endpoint import PORTS, fault_of, parsed_url, refusal, trust
from service.delivery.network import DeadlinePassed, Network, Refused, Resolve
from service.delivery.signing import signer
from service.ports import Attempt, Clock, Message

DEADLINE: Final = 15.0
"""Seconds for one attempt, everything included."""
MOST_ANSWER: Final = 16 * 1024
"""Bytes of an answer that are read; they are read only so that the connection can be used again."""
_LINGER: Final = 1.0
"""Seconds that the rest of an answer gets once its status is known."""
_KEPT: Final = 2.0
"""Seconds that an idle connection is kept: less than receivers do, so that none is used while they close it."""


class WebhookSender:
    """Sends messages to one URL. One attempt at a time: a second caller waits.

    Args:
        url: https, or with `lan` http to an address of this machine or a private network. User and password in it are
            sent as basic authorization.
        secret: ``whsec_...``, shared with the receiver; several while they are rotated: every message is signed with
            each, so that a receiver that knows one of them verifies it.
        lan: receivers on this machine and in private networks are allowed.
        authorities: a PEM file with the certificates to trust beside the system's. Verification has no off switch.
        deadline: seconds for an attempt.

    Raises:
        ValueError: the URL or a secret is unusable; the sentence repeats neither.
    """

    def __init__(
        self,
        url: str,
        secret: str | Sequence[str],
        clock: Clock,
        *,
        lan: bool = False,
        authorities: Path | None = None,
        deadline: float = DEADLINE,
        resolve: Resolve = resolve,
    ) -> None:
        parsed = parsed_url(url, lan=lan)
        self._signers = [signer(one) for one in ([secret] if isinstance(secret, str) else secret)]
        if not self._signers:
            raise ValueError("an endpoint needs a secret")
        self._clock = clock
        self._deadline = deadline
        self._lock = threading.Lock()
        self._host = parsed.host or ""
        self._target = httpcore.URL(
            scheme=parsed.scheme.encode(),
            host=self._host.strip("[]").encode(),
            port=parsed.port,
            target=f"{parsed.path or '/'}{f'?{parsed.query}' if parsed.query else ''}".encode(),
        )
        self._headers = _fixed_headers(parsed)
        secure = parsed.scheme == "https"
        self._network = Network(lambda address: refusal(reach(address), secure=secure, lan=lan), resolve)
        # httpcore, not httpx: no redirects, proxies, cookies or decompression to switch off, and a network of ours
        self._pool = httpcore.ConnectionPool(
            ssl_context=trust(authorities), max_connections=1, keepalive_expiry=_KEPT, network_backend=self._network
        )

    def __repr__(self) -> str:
        return f"WebhookSender({self._host!r})"  # path, query and user may be secrets

    def close(self) -> None:
        """Close the connection that is kept. Idempotent."""
        self._pool.close()

    def send(self, message: Message) -> Attempt:
        """Try once, within the deadline. Only an answer of 200 to 299 counts as taken."""
        with self._lock:
            try:
                body = message.payload.encode()
            except UnicodeEncodeError:
                return Attempt(done=False, why="the payload is no valid text", give_up=True)
            self._network.begin(self._deadline)
            try:
                return self._post(message, body)
            except (httpcore.TimeoutException, TimeoutError):
                return Attempt(done=False, why=f"no answer within {self._deadline:g} s")
            except Refused as refused:
                return Attempt(done=False, why=str(refused))
            except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
                return Attempt(done=False, why=fault_of(error))

    def _post(self, message: Message, body: bytes) -> Attempt:
        at_ms = self._clock.now().wall_ms
        seconds = datetime.fromtimestamp(at_ms // 1000, UTC)
        signed = [
            (b"webhook-id", message.id.encode()),
            (b"webhook-timestamp", str(at_ms // 1000).encode()),
            (
                b"webhook-signature",
                " ".join(one.sign(message.id, seconds, message.payload) for one in self._signers).encode(),
            ),
        ]
        with self._pool.stream("POST", self._target, headers=[*self._headers, *signed], content=body) as response:
            attempt = _judge(response, at_ms)
            self._skim(response)
        return attempt

    def _skim(self, response: httpcore.Response) -> None:
        """Read a little of the answer, so that the connection can be used again; how that goes changes nothing."""
        size = 0
        try:
            self._network.hurry(_LINGER)
            for chunk in response.iter_stream():
                size += len(chunk)
                if size > MOST_ANSWER:
                    break
        except (DeadlinePassed, httpcore.NetworkError, httpcore.ProtocolError, OSError):
            pass


def asked_wait(header: str, now_ms: int) -> float | None:
    """Return the seconds that a Retry-After header asks for (a number or a date), or None for anything else."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12]) if len(text) <= 12 else 1e12
    try:
        when = parsedate_to_datetime(text)
        return max(0.0, when.replace(tzinfo=when.tzinfo or UTC).timestamp() - now_ms / 1000)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _fixed_headers(url: AnyHttpUrl) -> list[tuple[bytes, bytes]]:
    try:
        version = metadata.version("ppe-monitor")
    except metadata.PackageNotFoundError:
        version = "0"
    standard = PORTS[url.scheme]
    headers = [
        (b"host", f"{url.host}{'' if url.port == standard else f':{url.port}'}".encode()),
        (b"content-type", b"application/json"),
        (b"user-agent", f"ppe-monitor/{version}".encode()),
        (b"accept-encoding", b"identity"),
    ]
    if url.username or url.password:
        login = f"{unquote(url.username or '')}:{unquote(url.password or '')}"
        headers.append((b"authorization", b"Basic " + base64.b64encode(login.encode())))
    return headers


def _judge(response: httpcore.Response, now_ms: int) -> Attempt:
    if 200 <= response.status < 300:
        return Attempt(done=True)
    why = f"HTTP {response.status}"
    if 300 <= response.status < 400:
        why += " (redirects are not followed)"
    asked = None
    if response.status in {429, 503}:
        headers = {name.lower(): value for name, value in reversed(response.headers)}
        asked = asked_wait(headers.get(b"retry-after", b"").decode("latin-1"), now_ms)
    return Attempt(done=False, why=why, retry_after=asked, gone=response.status == 410)
