"""Letters leave through Apprise, each in a process of its own that is killed when it takes too long."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from service.delivery.apprise_child import ABSENT, FAILED, NO_ADDRESS, SEVERAL, TAKEN
from service.ports import Attempt, Letter

DEADLINE: Final = 40.0
"""Seconds for one letter, the start of its process included."""
_ROOT: Final = Path(__file__).parents[2]
_PASSED_ON: Final = (
    *("PATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
    *(name for one in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY") for name in (one, one.lower())),
)
_SAYS: Final = {
    FAILED: "the service did not take it",
    NO_ADDRESS: "the variable holds no Apprise URL that could be used",
    ABSENT: "Apprise is not installed (pip install apprise)",
    SEVERAL: "one Apprise URL in the variable has several receivers; write a URL for each of them",
}


class ApprisePoster:
    """`ports.Poster` for one Apprise URL. What went wrong is told in words of our own: Apprise's may hold the URL.

    Args:
        deadline: seconds for a letter.
    """

    def __init__(self, url: str, *, deadline: float = DEADLINE) -> None:
        self._url = url
        self._deadline = deadline
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._closed = False

    def __repr__(self) -> str:
        return "ApprisePoster()"  # the URL is a secret

    def post(self, letter: Letter) -> Attempt:
        """Try once, within the deadline."""
        pictures = [(name, base64.b64encode(jpeg).decode()) for name, jpeg in letter.pictures]
        return self._run({"title": letter.title, "body": letter.body, "pictures": pictures, "urgent": letter.urgent})

    def fault(self) -> str:
        """Say what is wrong with the URL as far as Apprise can tell without sending anything, or ""."""
        return self._run(None).why

    def mistake(self) -> str:
        """Say why no letter can ever leave by the URL, or ""; that Apprise gave no answer is no mistake."""
        attempt = self._run(None)
        return attempt.why if attempt.give_up else ""

    def close(self) -> None:
        """End what runs; nothing is posted any more. Idempotent."""
        with self._lock:
            self._closed = True
            if self._running is not None:
                self._running.kill()

    def _run(self, letter: dict[str, object] | None) -> Attempt:
        environment = {name: value for name in _PASSED_ON if (value := os.environ.get(name))}
        with self._lock:
            if self._closed:
                return Attempt(done=False, why="it was closed")
            try:
                child = subprocess.Popen(
                    [sys.executable, "-m", "service.delivery.apprise_child"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=environment,
                    cwd=_ROOT,
                    start_new_session=True,
                )
            except OSError as error:
                return Attempt(done=False, why=f"no process could be started ({error.strerror})")
            self._running = child
        order = json.dumps({"url": self._url, "letter": letter}).encode()
        try:
            child.communicate(order, timeout=self._deadline)
        except subprocess.TimeoutExpired:
            return Attempt(done=False, why=f"no answer within {self._deadline:g} s")
        finally:
            child.kill()
            child.wait()
        code = child.returncode
        why = "" if code == TAKEN else _SAYS.get(code, "its process died")
        return Attempt(done=code == TAKEN, why=why, give_up=code in {NO_ADDRESS, ABSENT, SEVERAL})


def urls_in(value: str) -> list[str]:
    """Return the URLs that a variable holds, with spaces or line ends between."""
    return value.split()
