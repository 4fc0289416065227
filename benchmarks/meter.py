"""What a process and its children hold, looked at now and then, and whether that grows."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import numpy as np
import psutil

SAMPLE = 2.0
"""Seconds between two looks."""
WARM_UP = 20.0
"""Seconds at the start that nothing is judged by: the model is compiled, caches fill. A quarter of shorter runs."""
MOST_GROWTH = 5.0
"""Percent that memory may grow by over a run, as the line through all its samples says."""
MOST_MORE = 2.0
"""Open files, threads or children that may be more at the end than at the start, by the same line."""


@dataclass
class Meter:
    """Samples of a process: (monotonic seconds, bytes of it and its children, open files, threads, children)."""

    process: psutil.Process
    samples: list[tuple[float, int, int, int, int]] = field(default_factory=list)

    def run(self, stop: threading.Event) -> None:
        """Look until told to stop."""
        while not stop.wait(SAMPLE):
            try:
                children = self.process.children(recursive=True)
                rss = sum(one.memory_info().rss for one in [self.process, *children])
                held = self.process.num_fds(), self.process.num_threads(), len(children)
                self.samples.append((time.monotonic(), rss, *held))
            except psutil.NoSuchProcess:  # a decoder was replaced while we looked
                continue

    def judged(self, began: float, ended: float) -> dict[str, dict[str, float | bool]]:
        """Return medians, highest and slope an hour of each after the warm-up, and whether it is flat."""
        begin = min(began + WARM_UP, began + (ended - began) / 4)
        kept = np.array([sample for sample in self.samples if begin <= sample[0] <= ended])
        lasted = ended - begin
        found: dict[str, dict[str, float | bool]] = {}
        for column, (name, unit) in enumerate((("rss_mb", 1e6), ("open_files", 1), ("threads", 1), ("children", 1)), 1):
            values = kept[:, column] / unit
            slope = float(np.polyfit(kept[:, 0] - begin, values, 1)[0])
            median = float(np.median(values))
            most = MOST_GROWTH / 100 * median if name == "rss_mb" else MOST_MORE
            found[name] = {
                "median": round(median, 1),
                "highest": round(float(values.max()), 1),
                "grew_by": round(slope * lasted, 2),
                "an_hour": round(slope * 3600, 2),
                "flat": slope * lasted <= most,
            }
        return found
