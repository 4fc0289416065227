"""The first two pictures of a process may meet on two threads."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import threading
from service.detectors import openvino
start = threading.Barrier(2)
def ask():
    start.wait()
    openvino.ov.Type.u8.to_dtype()
threads = [threading.Thread(target=ask) for _ in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


@pytest.mark.thorough
def test_two_threads_that_ask_first_at_once_do_not_wait_for_each_other() -> None:
    for _ in range(3):
        subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)
