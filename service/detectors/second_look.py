"""Look once more, closer, at people whose helmet or vest the whole picture left open.

Far people are few pixels in a picture that was shrunk to the model's input. Each of them, cut out at full
resolution, is judged by the same model at a smaller input. It costs nothing where everybody is clear, and a bounded
number of small pictures elsewhere (docs/wearing.md has what it costs and gives).
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import numpy as np

from service.ports import Detector, DetectorClosed, Image, Model
from service.safety.closer import joined, unsure
from service.safety.detections import Detections

SIZE: Final = 320
"""Side in pixels of the input for a closer look."""


class SecondLook:
    """`ports.Detector` that looks closer with a second one. It owns both.

    Args:
        whole: looks at whole pictures.
        closer: the same weights at inputs of `SIZE`.
        most: people who are looked at closer on one picture, at most.
        streams: pictures in work at once.
    """

    def __init__(self, whole: Detector, closer: Detector, *, most: int, streams: int = 2) -> None:
        self._whole, self._closer, self._most = whole, closer, most
        self._workers = ThreadPoolExecutor(streams, thread_name_prefix="look")

    @property
    def model(self) -> Model:
        """The weights that run."""
        return self._whole.model

    def submit(self, image: Image) -> Future[Detections]:
        """Start detecting on `image` ((h, w, 3) uint8 BGR)."""
        first = self._whole.submit(image)
        try:
            return self._workers.submit(self._look, image, first)
        except RuntimeError as error:
            raise DetectorClosed("this detector was closed") from error

    def detect(self, image: Image) -> Detections:
        """Detect on `image` and wait for the answer."""
        return self.submit(image).result()

    def close(self) -> None:
        """Finish what runs, then refuse."""
        self._workers.shutdown(wait=True)
        self._whole.close()
        self._closer.close()

    def _look(self, image: Image, first: Future[Detections]) -> Detections:
        detections = first.result()
        places = unsure(detections, self.model.thresholds, self._most, SIZE)
        if not places:
            return detections
        parts = [np.ascontiguousarray(image[place.y1 : place.y2, place.x1 : place.x2]) for place in places]
        looks = [self._closer.submit(part) for part in parts]
        return joined(detections, zip(places, (look.result() for look in looks), strict=True))
