#!/usr/bin/python3
"""Makes the looping clips that `server.py` serves: a.h264 (640x360), b.h264 (1280x720) and a.h265 (640x360).

Every frame carries its own number as 16 black or white blocks in its top 40 rows (block k is bit k), so that a reader
can measure loss and age. Standard library only; needs ffmpeg with libx264 and libx265 on the PATH.

    python3 tests/rtsp/clips.py --dir clips
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

BLOCKS, BAND = 16, 40  # bits of the frame number; rows that they take at the top
BRIGHT, DARK = 230, 20
SIZES = {"a.h264": (640, 360), "b.h264": (1280, 720), "a.h265": (640, 360)}

# The access unit delimiters (aud=insert) are what lets the server cut the files into frames.
H264 = ["-c:v", "libx264", "-g", "15", "-bf", "0", "-preset", "veryfast", "-bsf:v", "h264_metadata=aud=insert"]
H265 = ["-c:v", "libx265", "-x265-params", "log-level=error:keyint=15:bframes=0", "-bsf:v", "hevc_metadata=aud=insert"]


def gray_frame(index: int, width: int, height: int) -> bytes:
    """Draw one 8-bit gray picture: a moving diagonal ramp under the frame number."""
    blocks = b"".join(bytes([BRIGHT if (index >> k) & 1 else DARK]) * (width // BLOCKS) for k in range(BLOCKS))
    ramp = bytes(range(200)) * (width // 200 + 2)
    rows = [blocks.ljust(width, bytes([DARK]))] * BAND
    for y in range(BAND, height):
        start = (y + index * 5) % 200
        rows.append(ramp[start : start + width])
    return b"".join(rows)


def make_clip(path: Path, *, frames: int = 150, fps: int = 15) -> None:
    """Encode one of `SIZES` by its name.

    Raises:
        RuntimeError: ffmpeg failed.
    """
    width, height = SIZES[path.name]
    hevc = path.suffix == ".h265"
    source = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{width}x{height}", "-r", str(fps), "-i", "-"]
    sink = ["-pix_fmt", "yuv420p", *(H265 if hevc else H264), "-f", "hevc" if hevc else "h264", str(path)]
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", *source, *sink]
    film = b"".join(gray_frame(index, width, height) for index in range(frames))
    if subprocess.run(command, input=film, check=False).returncode:
        raise RuntimeError(f"ffmpeg failed for {path}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Make numbered test clips for the RTSP test camera.")
    parser.add_argument("--dir", type=Path, default=Path(), help="where to write the clips (default: here)")
    parser.add_argument("--frames", type=int, default=150, help="frames of a clip, at most 65536 (default 150)")
    parser.add_argument("--fps", type=int, default=15, help="frames a second (default 15)")
    args = parser.parse_args()
    if not 1 <= args.frames <= 1 << BLOCKS:
        parser.error("--frames must be between 1 and 65536")
    args.dir.mkdir(parents=True, exist_ok=True)
    for name, (width, height) in SIZES.items():
        path = args.dir / name
        make_clip(path, frames=args.frames, fps=args.fps)
        print(f"{path}: {width}x{height}, {args.frames} frames, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
