"""The part of the fake store that keeps clips."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from service.safety.alerts import Alert
from service.store.clips import CLIP
from service.store.errors import StoreError
from service.store.evidence import PENDING


class FakeClips:
    """`ports.ClipStore` in memory."""

    _alerts: dict[str, Alert]
    stills: dict[tuple[str, str], bytes]
    gone: dict[tuple[str, str], str]
    absent: dict[str, str]

    def _open(self) -> threading.RLock:
        raise NotImplementedError

    def keep_clip(self, alert: str, write: Callable[[Path], object]) -> None:
        """Keep an alert's clip, if it is still to come."""
        if self._is_to_come(alert):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "clip.mp4"
                path.touch()
                try:
                    write(path)
                except Exception as error:  # noqa: BLE001 - as the store
                    self.no_clip(alert, str(error))
                    return
                with self._open():
                    self.stills[alert, CLIP] = path.read_bytes()
                    self.gone.pop((alert, CLIP), None)

    def no_clip(self, alert: str, why: str) -> None:
        """Note why there is no clip of an alert that one was to come of."""
        if self._is_to_come(alert):
            with self._open():
                self.gone[alert, CLIP] = "not_written"
                self.absent[alert] = why

    def _is_to_come(self, alert: str) -> bool:
        with self._open():
            if alert not in self._alerts:
                raise StoreError("STORE_FAILED", f"alert {alert} is not recorded yet")
            return self.gone.get((alert, CLIP)) == PENDING
