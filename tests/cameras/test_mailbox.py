from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from service.cameras.mailbox import Mailbox, NoRoom, spare_memory
from tests.conftest import ROOT

WRITER = """
import sys, time
from service.cameras.mailbox import Mailbox
box = Mailbox(int(sys.argv[1]), int(sys.argv[2]), 320, 240)
end, number = time.monotonic() + 0.6, 0
while time.monotonic() < end:
    number += 1
    box.room()[:] = number % 251
    box.publish(number, time.monotonic())
"""


def post(box: Mailbox, shade: int) -> None:
    box.room()[:] = shade
    box.publish(shade, time.monotonic())


def test_the_newest_picture_wins_and_comes_once() -> None:
    box = Mailbox.made(8, 6)
    assert box.take(0) is None
    for shade in (1, 2, 3, 4, 5):
        post(box, shade)
    taken = box.take(0)
    assert taken is not None
    assert (taken.sequence, taken.number, taken.image.shape) == (5, 5, (6, 8, 3))
    assert (taken.image == 5).all()
    assert 0 <= taken.age < 5
    assert box.take(taken.sequence) is None
    post(box, 6)
    assert (taken.image == 5).all()  # it is a copy
    box.close()


def test_the_bell_rings_for_each_picture_and_can_be_hushed() -> None:
    box = Mailbox.made(8, 6)
    box.hush()
    post(box, 1)
    post(box, 2)
    assert os.eventfd_read(box.bell) == 2
    box.close()


def test_what_is_copied_is_never_torn() -> None:
    box = Mailbox.made(320, 240)
    command = [sys.executable, "-c", WRITER, str(box.memory), str(box.bell)]
    writer = subprocess.Popen(command, pass_fds=(box.memory, box.bell), env={**os.environ, "PYTHONPATH": str(ROOT)})
    taken = last = 0
    while writer.poll() is None:
        if picture := box.take(last):
            taken, last = taken + 1, picture.sequence
            assert (picture.image == picture.number % 251).all()
    assert writer.returncode == 0
    assert taken > 20
    box.close()


def test_closing_gives_everything_back() -> None:
    me = psutil.Process()
    before = me.num_fds()
    for _ in range(20):
        box = Mailbox.made(640, 360)
        box.close()
        box.close()
    assert me.num_fds() == before


@pytest.mark.parametrize(("width", "height", "spare"), [(640, 360, 2_000_000), (20_000, 20_000, 2**60)])
def test_too_little_memory_is_an_error_before_any_is_taken(width: int, height: int, spare: int) -> None:
    me = psutil.Process()
    before = me.num_fds()
    with pytest.raises(NoRoom, match="memory for pictures"):
        Mailbox.made(width, height, lambda: spare)
    assert me.num_fds() == before


def test_what_is_spare_is_no_more_than_the_machine_has() -> None:
    assert 0 < spare_memory() <= psutil.virtual_memory().total


def test_a_beat_tells_of_life_without_a_picture() -> None:
    box = Mailbox.made(8, 6)
    assert (box.grabbed, box.heard) == (0, 0)
    box.beat(7, 12.5)
    assert (box.grabbed, box.heard) == (7, 12.5)
    assert box.take(0) is None
    assert np.shares_memory(box.room(), box.slots)
    box.close()
