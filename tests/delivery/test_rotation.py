"""While a secret is rotated a message is signed with both: receivers with the old or the new one verify it."""

from __future__ import annotations

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from service.delivery.signing import new_secret
from service.delivery.webhook import WebhookSender
from tests.delivery.scripted import OTHER, SECRET, HeldClock, RealClock, always, message, receiving, status
from tests.delivery.test_receiver import listening


def test_each_of_two_secrets_verifies_and_a_third_does_not() -> None:
    with receiving(always(status(200))) as receiver:
        assert WebhookSender(receiver.url, [OTHER, SECRET], RealClock(), lan=True).send(message()).done
    (request,) = receiver.requests
    new, old = request.headers["webhook-signature"].split(" ")
    assert new.startswith("v1,") and old.startswith("v1,") and new != old
    for secret in (SECRET, OTHER):
        assert Webhook(secret).verify(request.body, request.headers) == {"type": "alert.fired"}
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(request.body, request.headers)


def test_once_the_rotation_is_over_the_old_secret_fails() -> None:
    with receiving(always(status(200))) as receiver:
        assert WebhookSender(receiver.url, [OTHER], RealClock(), lan=True).send(message()).done
    (request,) = receiver.requests
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body, request.headers)


@pytest.mark.parametrize("secrets", [[SECRET, OTHER], [OTHER, SECRET]])
def test_the_receiver_to_try_with_takes_them(secrets: list[str]) -> None:
    """It knows SECRET alone."""
    with listening() as (receiver, arrivals):
        url = f"http://127.0.0.1:{receiver.port}/"
        assert WebhookSender(url, secrets, RealClock(), lan=True, deadline=5).send(message()).done
    assert [arrival.status for arrival in arrivals] == [200]


@pytest.mark.parametrize("secrets", [[], [SECRET, "whsec_canary"], [SECRET, ""]])
def test_every_one_of_them_has_to_be_a_secret(secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="secret") as refusal:
        WebhookSender("https://receiver.example/", secrets, HeldClock())
    assert "canary" not in str(refusal.value)
