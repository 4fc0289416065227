"""A sender without a network, for tests and dry runs: it keeps what it was given and answers as told."""

from __future__ import annotations

import threading
from collections.abc import Callable

from service.ports import Attempt, Letter, Message


def takes(message: Message) -> Attempt:  # noqa: ARG001 - every message
    """Answer as a healthy receiver does."""
    return Attempt(done=True)


class FakeSender:
    """Answers with what `answer` returns for a message; `attempts` holds every message that it was given, in order."""

    def __init__(self, answer: Callable[[Message], Attempt] = takes) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self._attempts: list[Message] = []

    @property
    def attempts(self) -> tuple[Message, ...]:
        """What was tried so far, repetitions included."""
        with self._lock:
            return tuple(self._attempts)

    def send(self, message: Message) -> Attempt:
        """Keep the message and answer."""
        with self._lock:
            self._attempts.append(message)
        return self._answer(message)


def reads(letter: Letter) -> Attempt:  # noqa: ARG001 - every letter
    """Answer as a healthy provider does."""
    return Attempt(done=True)


class FakePoster:
    """`ports.Poster` that answers with what `answer` returns; `letters` holds what it was given, in order."""

    def __init__(self, answer: Callable[[Letter], Attempt] = reads) -> None:
        self._answer = answer
        self.letters: list[Letter] = []

    def post(self, letter: Letter) -> Attempt:
        """Keep the letter and answer."""
        self.letters.append(letter)
        return self._answer(letter)

    def close(self) -> None:
        """Do nothing: nothing is ever on its way."""
