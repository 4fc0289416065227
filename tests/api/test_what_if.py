"""The process that judges again: what it is asked, and that it ends with whoever asked."""

from __future__ import annotations

import asyncio
import io

import psutil
import pytest

from service.api.what_if import MOST_FRAMES, NotCompared, answer, question
from service.recording import Heading, write_frame, write_heading
from service.safety.moment import Moment
from service.safety.site import Scene
from service.safety.thresholds import Thresholds
from tests.cli.test_asking import PICTURE
from tests.cli.workers import two_workers

SCENE = Scene(camera="gate")


def recorded(frames: int) -> list[str]:
    text = io.StringIO()
    write_heading(text, Heading("gate", "fake 1", Thresholds(), SCENE))
    for index in range(frames):
        write_frame(text, two_workers(PICTURE), Moment(index / 5, 200 * index))
    return [text.getvalue()]


async def stays() -> bool:
    return False


async def leaves() -> bool:
    return True


def test_of_many_frames_the_newest_are_judged() -> None:
    lines = question(["heading\n1\n2\n", "\n".join(map(str, range(3, MOST_FRAMES + 11)))], SCENE).decode().splitlines()
    assert lines[1] == "heading"
    assert (lines[2], lines[-1], len(lines)) == ("11", str(MOST_FRAMES + 10), MOST_FRAMES + 2)


def test_it_answers() -> None:
    told = asyncio.run(answer(question(recorded(20), SCENE), stays))
    assert (told["frames"], len(told["both"]), told["only_before"], told["only_after"]) == (20, 1, [], [])


def test_it_ends_when_nobody_waits_any_more() -> None:
    with pytest.raises(NotCompared, match="nobody waits"):
        asyncio.run(answer(question(recorded(2000), SCENE), leaves))
    assert not [one for one in psutil.Process().children() if "service.api.what_if" in " ".join(one.cmdline())]


def test_what_is_no_recording_is_told() -> None:
    with pytest.raises(NotCompared, match="it failed"):
        asyncio.run(answer(question(["nothing\n"], SCENE), stays))
