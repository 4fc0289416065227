"""The floor: a process that decodes the same bytes and calls the same detector, told how often by its standard input.

Reads a number a line, runs so many pictures, answers with one JSON line: wall seconds of each, CPU seconds of all.
"""

from __future__ import annotations

import json
import sys
import time

import cv2
import numpy as np

from benchmarks.photo import photo
from service.detectors.opening import open_detector
from service.settings import Settings


def main() -> None:
    content = photo(1920, 1080)
    detector = open_detector(Settings())
    for line in sys.stdin:
        walls = []
        cpu = time.process_time()
        for _ in range(int(line)):
            begun = time.perf_counter()
            picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
            detector.detect(np.asarray(picture, np.uint8))
            walls.append(time.perf_counter() - begun)
        print(json.dumps({"walls": walls, "cpu": time.process_time() - cpu}), flush=True)


if __name__ == "__main__":
    main()
