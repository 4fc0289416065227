"""People get identities over time: roboflow's `trackers` behind safety's `Tracker`.

ByteTrack (Zhang et al. 2022, https://arxiv.org/abs/2110.06864) associates sure boxes first and unsure ones second.
The library's defaults start no track under 0.7 and are meant for large models; ours are chosen by `ppe evaluate` on
recorded clips (docs/clips.md). Only people are tracked, driven by the frames' own time.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

ACTIVATION: Final = 0.3
"""Confidence from which an unmatched box starts a track."""
SURE: Final = 0.3
"""Confidence from which a box takes part in the first association."""
KEPT: Final = 2.0
"""Seconds that a lost track is predicted on."""
NOMINAL_FPS: Final = 30.0
"""The library's unit of time; its motion model is scaled by elapsed seconds times this."""


class ByteTrack:
    """`safety.monitor.Tracker` by the library's ByteTrackTracker. One instance a camera."""

    def __init__(self) -> None:
        from trackers import ByteTrackTracker  # pulls in scipy and supervision: only where something is tracked

        self._tracker = ByteTrackTracker(
            lost_track_buffer=round(KEPT * 30),
            frame_rate=NOMINAL_FPS,
            track_activation_threshold=ACTIVATION,
            high_conf_det_threshold=SURE,
            minimum_consecutive_frames=1,
            minimum_iou_threshold=0.1,
        )
        self._last = -math.inf

    def advance(self, boxes: NDArray[np.float64], confidence: NDArray[np.float64], seconds: float) -> NDArray[np.int64]:
        """Return one id a box, -1 for none yet (a track's first frame).

        Raises:
            ValueError: the time is not after the last one. The library only warns of it and tracks nothing.
        """
        import supervision as sv

        if not self._last < seconds < math.inf:
            raise ValueError(f"tracks can't be advanced to {seconds} s from {self._last} s")
        self._last = seconds
        found = sv.Detections(
            xyxy=boxes.astype(np.float32).reshape(-1, 4),
            confidence=confidence.astype(np.float32),
            class_id=np.zeros(len(boxes), dtype=int),
            data={"index": np.arange(len(boxes))},
        )
        tracked = self._tracker.update(found, timestamp=seconds)
        ids: NDArray[np.int64] = np.full(len(boxes), -1, dtype=np.int64)
        if len(tracked) and tracked.tracker_id is not None:
            ids[np.asarray(tracked.data["index"], dtype=np.int64)] = tracked.tracker_id
        return ids
