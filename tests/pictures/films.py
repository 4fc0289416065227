"""Short films made for tests: each picture is of one grey, so that it can be told from the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

CODECS = {".h264": ("libx264", "h264"), ".265": ("libx265", "hevc")}


def film(path: Path, *, pictures: int, rate: float, width: int = 320, height: int = 240) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate, (width, height))
    assert writer.isOpened()
    for number in range(pictures):
        writer.write(np.full((height, width, 3), 10 + number % 20 * 10, dtype=np.uint8))
    writer.release()
    return path


def raw(path: Path, pictures: int = 40) -> Path:
    """Write a raw stream, as recorders and camera tools dump it: no container, no times; ten pictures a second."""
    codec, form = CODECS[path.suffix]
    try:
        with av.open(str(path), "w", format=form) as container:
            stream: Any = container.add_stream(codec, rate=10)
            stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
            for number in range(pictures):
                grey = np.full((120, 160, 3), 10 + number % 20 * 10, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="bgr24")))
            container.mux(stream.encode())
    except (av.error.FFmpegError, ValueError) as error:
        pytest.skip(f"this PyAV writes no {form}: {error}")
    return path
