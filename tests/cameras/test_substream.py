"""A camera that is dearer to decode than to judge is told of its substream; no other is."""

from __future__ import annotations

import pytest

from service.cameras.substream import Load, is_large

DEAR = Load(width=2560, height=1440, rate=25, decoding=0.6, fps=5, detecting=0.3, useful=640)


def test_a_dear_stream_is_told_of_a_smaller_one() -> None:
    assert DEAR.advice == (
        "decoding this stream of 2560x1440 at 25 frames a second costs 0.6 cores, judging 5 a second 0.3: use the "
        "camera's substream, about 1280x720; the model sees no more of it"
    )


@pytest.mark.parametrize(
    "load",
    [
        Load(2560, 1440, 25, 0.2, 5, 0.3, 640),
        Load(2560, 1440, 25, 0.05, 5, 0.01, 640),
        Load(1280, 720, 25, 0.6, 5, 0.3, 640),
        Load(2560, 1440, 25, 0.6, 5, 0.3, 2560),
    ],
    ids=["judging-is-dearer", "both-are-cheap", "small-already", "tiles-use-it"],
)
def test_others_are_left_as_they_are(load: Load) -> None:
    assert load.advice == ""
    assert is_large(2560, 1440, 640)
    assert not is_large(1280, 720, 640)
