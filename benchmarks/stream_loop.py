"""Ultralytics' own loop over live streams, for `benchmarks.streams`: STREAMS WEIGHTS STRIDE WARM SECONDS.

Prints one JSON line: when each picture was answered with the number that is drawn into it, and CPU seconds.
"""

from __future__ import annotations

import json
import sys
import time

from ultralytics import YOLO

from benchmarks.clips import number_of


def main() -> None:
    streams, weights, stride, warm, seconds = sys.argv[1:]
    numbers: list[tuple[float, int]] = []
    began: tuple[float, float] | None = None
    first = time.monotonic()
    for result in YOLO(weights).predict(source=streams, stream=True, vid_stride=int(stride), verbose=False):
        at = time.monotonic()
        if began is None:
            if at - first < float(warm):
                continue
            began = at, time.process_time()
        numbers.append((at, number_of(result.orig_img)))
        if at - began[0] >= float(seconds):
            break
    assert began
    spent = time.process_time() - began[1]
    print(json.dumps({"seconds": time.monotonic() - began[0], "cpu": spent, "numbers": numbers}), flush=True)


if __name__ == "__main__":
    main()
