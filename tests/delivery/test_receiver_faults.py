"""What receivers do wrong beyond what `test_webhook` has: cut answers, packed bombs, certificates of yesterday."""

from __future__ import annotations

import gzip
import socket
import ssl
import subprocess
import time
import tracemalloc
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from service.delivery.courier import Courier
from service.delivery.webhook import WebhookSender
from tests.delivery.scripted import (
    SECRET,
    HeldClock,
    ListOutbox,
    RealClock,
    ScriptedReceiver,
    always,
    ids,
    message,
    one_after_another,
    receiving,
    status,
)


def test_an_answer_that_is_cut_off_sends_the_same_id_again() -> None:
    """The receiver took it, and its answer is lost: it knows the repetition by the id."""
    outbox, clock = ListOutbox(), HeldClock()
    outbox.put(message())
    with receiving(one_after_another(always(b""), always(b"HTTP/1.1 200 O", b""), always(status(200)))) as receiver:
        courier = Courier(outbox, {"hook": WebhookSender(receiver.url, SECRET, clock, lan=True, deadline=5)}, clock)
        while "waiting" in outbox.states():
            courier.deliver_due()
            clock.sleep(60)
        courier.close()
    assert ids(receiver.requests) == ["msg_north_1"] * 3
    assert outbox.states() == ["delivered"]


def test_a_packed_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    with receiving(always(status(200, "Content-Encoding: gzip", body=bomb))) as receiver:
        hook = WebhookSender(receiver.url, SECRET, HeldClock(), lan=True, deadline=5)
        hook.send(message())  # imports and first connections are not what is measured
        tracemalloc.start()
        attempt = hook.send(message(2))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert attempt.done
    assert most < 2_000_000


@pytest.mark.parametrize(("age", "verifies"), [(0, True), (270, True), (301, False), (-299, True), (-360, False)])
def test_a_signature_is_good_for_five_minutes(age: int, verifies: bool) -> None:
    """The library has a clock of its own, so there is room for a machine that is slow between the two."""
    clock = HeldClock(RealClock().now().wall_ms - 1000 * age)
    with receiving(always(status(200))) as receiver:
        assert WebhookSender(receiver.url, SECRET, clock, lan=True).send(message()).done
    (request,) = receiver.requests
    if verifies:
        assert Webhook(SECRET).verify(request.body, request.headers)
    else:
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(request.body, request.headers)


def test_a_certificate_that_is_over_is_not_trusted(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(expired(tmp_path))

    def wrap(plain: socket.socket) -> socket.socket:
        return context.wrap_socket(plain, server_side=True)

    receiver = ScriptedReceiver(always(status(200)), wrap=wrap)
    url = f"https://receiver.example:{receiver.port}/"
    hook = WebhookSender(
        url,
        SECRET,
        HeldClock(),
        lan=True,
        authorities=tmp_path / "receiver.crt",
        deadline=5,
        resolve=lambda host, port: ["127.0.0.1"],
    )
    attempt = hook.send(message())
    receiver.close()
    assert attempt.why == "TLS: the certificate is not trusted (certificate has expired)"
    assert receiver.requests == []


def expired(folder: Path) -> Path:
    """Make a certificate of receiver.example that ended yesterday, with its key."""
    key, certificate, both = folder / "receiver.key", folder / "receiver.crt", folder / "receiver.pem"
    (folder / "index").touch()
    (folder / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index\nnew_certs_dir={folder}\nserial={folder}/serial\n"
        "rand_serial=yes\ndefault_md=sha256\npolicy=p\nx509_extensions=x\n[p]\ncommonName=supplied\n"
        "[x]\nsubjectAltName=DNS:receiver.example\n[req]\ndistinguished_name=n\n[n]\n"
    )
    days = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() - 86_400 * ago)) for ago in (3, 1)]
    request = folder / "receiver.csr"
    new = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    config = ["-config", str(folder / "ca.cnf")]
    ends = ["-startdate", days[0], "-enddate", days[1]]
    signing = ["openssl", "ca", "-batch", "-selfsign", *config, "-keyfile", str(key), "-in", str(request), *ends]
    for command in (
        [*new, *config, "-subj", "/CN=receiver", "-keyout", str(key), "-out", str(request)],
        [*signing, "-notext", "-out", str(certificate)],
    ):
        subprocess.run(command, check=True, capture_output=True)
    both.write_text(key.read_text() + certificate.read_text())
    return both
