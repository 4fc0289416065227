"""Detect with ultralytics: a ``.pt`` on CUDA or a CPU. Needs the extra ``train``.

A YOLO object shared between threads mixes up its callers' boxes, so one thread owns it; what waits while it works goes
into the next micro-batch.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

import numpy as np

from service.detectors.boxes import FLOOR, MOST, NMS_IOU
from service.detectors.manifest import Weights, WeightsError, check_classes
from service.ports import DetectorClosed, Image, Model
from service.safety.detections import Detections

MOST_AT_ONCE: Final = 8
"""Pictures in one micro-batch."""
IMAGE_SIZE: Final = 640

_Job = tuple[Image, "Future[Detections]"]


class UltralyticsDetector:
    """`ports.Detector` on a ``.pt`` file.

    Args:
        weights: verified weights with a .pt file.
        device: what ultralytics calls a device (``cpu``, ``0``, ``cuda:1``); empty chooses by itself.
        size: longest side in pixels of the model's input.
        passed: is told of each pass of the model, with its seconds.

    Raises:
        WeightsError: ultralytics is not installed, the file can't be read, or its classes are not the rules'.
    """

    def __init__(
        self,
        weights: Weights,
        *,
        device: str = "",
        size: int = IMAGE_SIZE,
        passed: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._passed = passed
        os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", ULTRALYTICS_SAFE_LOAD="1")
        try:
            from ultralytics import YOLO
        except ImportError as error:
            raise WeightsError(
                "the ultralytics detector needs the extra 'train' (pip install 'ppe-monitor[train]')"
            ) from error
        try:
            self._yolo = YOLO(str(weights.path), task="detect")
        except Exception as error:
            raise WeightsError(f"{weights.path}: ultralytics can't read these weights") from error
        check_classes(weights.path, self._yolo.names)
        self._model = weights.model
        self._device = device or None
        self._size = size
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._owner = threading.Thread(target=self._work, name="detect", daemon=True)
        self._owner.start()

    @property
    def model(self) -> Model:
        """The weights that run."""
        return self._model

    def submit(self, image: Image) -> Future[Detections]:
        """Start detecting on `image` ((h, w, 3) uint8 BGR)."""
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise ValueError(f"expected a (height, width, 3) uint8 picture, got {image.shape} {image.dtype}")
        future: Future[Detections] = Future()
        with self._gate:
            if self._closed:
                raise DetectorClosed("this detector was closed")
            self._jobs.put((image, future))
        return future

    def detect(self, image: Image) -> Detections:
        """Detect on `image` and wait for the answer."""
        return self.submit(image).result()

    def close(self) -> None:
        """Finish what was submitted, then refuse."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        self._owner.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch = [job]
            closing = False
            while len(batch) < MOST_AT_ONCE and not self._jobs.empty() and not closing:
                waiting = self._jobs.get()
                closing = waiting is None
                if waiting is not None:
                    batch.append(waiting)
            self._answer([job for job in batch if job[1].set_running_or_notify_cancel()])
            if closing:
                return

    def _answer(self, batch: list[_Job]) -> None:
        if not batch:
            return
        try:
            began = time.perf_counter()
            results = self._yolo.predict(
                [image for image, _ in batch],
                conf=FLOOR,
                iou=NMS_IOU,
                max_det=MOST,
                imgsz=self._size,
                device=self._device,
                verbose=False,
            )
            self._passed(time.perf_counter() - began)
            for (image, future), result in zip(batch, results, strict=True):
                future.set_result(_detections(image, result, self._size))
        except Exception as error:  # noqa: BLE001 - the caller gets it: the owner thread must live on
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)


def _detections(image: Image, result: Any, size: int) -> Detections:
    height, width = image.shape[:2]
    boxes = result.boxes.xyxy.cpu().numpy()
    solid = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    return Detections(
        boxes[solid],
        np.clip(result.boxes.conf.cpu().numpy()[solid], 0, 1),
        result.boxes.cls.cpu().numpy()[solid].astype(np.int64),
        width,
        height,
        size / max(width, height),
    )
