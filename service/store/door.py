"""The door through which another process gets a copy of a database that only its owner can read.

A connection to the socket `ppe.sock` in the store's folder is a wish for a copy. The answer is `ok` with the open file
of the copy, which has no name any more and so goes with its last reader; or `no` and a sentence.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

import structlog

from service.store.errors import StoreError

_OK: Final = b"ok"
_MOST: Final = 4096
"""Bytes of an answer."""

log = structlog.get_logger(__name__)


class Door:
    """Answers wishes for copies until it is closed, one after another.

    Args:
        folder: the store's, which this process has for itself.
        copy: writes a copy of the database to a path, or raises StoreError.
    """

    def __init__(self, folder: Path, copy: Callable[[Path], None]) -> None:
        self._part = folder / "ppe.db.copy"
        self._copy = copy
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            (folder / "ppe.sock").unlink(missing_ok=True)  # of a process that was killed
            with _short(folder) as place:
                self._socket.bind(place)
            self._socket.listen()
        except OSError as error:  # some file systems have no sockets
            log.info("store_gives_no_copies", reason=error.strerror, meaning="stop the service to back it up")
            self._socket.close()
            return
        self._path = folder / "ppe.sock"
        self._thread = threading.Thread(target=self._answer_all, name="store-door", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer nobody any more. A copy that is being made is broken off once the database is closed."""
        if self._socket.fileno() < 0:
            return
        self._path.unlink(missing_ok=True)
        self._socket.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept
        self._socket.close()

    def _answer_all(self) -> None:
        while True:
            try:
                wish, _ = self._socket.accept()
            except OSError:
                return
            with wish, suppress(OSError):  # whoever asked has gone
                self._answer(wish)

    def _answer(self, wish: socket.socket) -> None:
        try:
            self._part.unlink(missing_ok=True)
            self._copy(self._part)
            with self._part.open("rb") as copy:
                self._part.unlink()
                socket.send_fds(wish, [_OK], [copy.fileno()])
        except (StoreError, OSError) as error:
            self._part.unlink(missing_ok=True)
            wish.sendall(f"no{error}".encode()[:_MOST])


def asked_for_copy(folder: Path) -> BinaryIO:
    """Return the copy of the database that the process gives who has the store in `folder` open.

    Raises:
        StoreError: STORE_LOCKED when it gives none; or what kept it from making one.
    """
    with socket.socket(socket.AF_UNIX) as wish:
        try:
            with _short(folder) as place:
                wish.connect(place)
            said, files, _, _ = socket.recv_fds(wish, _MOST, 1)
        except OSError as error:
            why = f"its process gives no copy of the database ({error.strerror}): stop it, and try again"
            raise StoreError("STORE_LOCKED", f"the store in {folder} is in use, and {why}") from error
    if said == _OK and files:
        return os.fdopen(files[0], "rb")
    sentence = said.decode("utf-8", "replace").removeprefix("no") or "its process ended before the copy was made"
    raise StoreError("STORE_FAILED", f"the store in {folder}: {sentence}")


@contextmanager
def _short(folder: Path) -> Iterator[str]:
    """Yield a name of the socket that is short, as socket's names must be, however long the folder's is."""
    number = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{number}/ppe.sock"
    finally:
        os.close(number)
