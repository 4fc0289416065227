"""From uploads to entries of an answer: decode and judge on worker threads, detect by the detector, few at a time."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import anyio
import anyio.to_thread
import cv2

from service.api.problems import KINDS, Problem
from service.api.schemas import (
    ErrorSchema,
    JudgedSchema,
    ModelSchema,
    PictureSchema,
    RefusedSchema,
    ThresholdsSchema,
    TimingsSchema,
    present,
)
from service.api.uploads import Upload
from service.metrics import Metrics
from service.pictures.decode import PictureError, PictureLimits, read_picture
from service.ports import Detector, DetectorClosed, Image
from service.safety.detections import Detections
from service.safety.equipment import Equipment
from service.safety.wearing import sightings

DECODERS: Final = 4
"""Pictures that are decoded at once, over all requests."""
LOOK_AHEAD: Final = 3
"""Pictures of one request that are worked on at once."""
DECODED: Final = 6
"""Decoded pictures that exist at once, over all requests: one may have 150 MB."""
JPEG_QUALITY: Final = 90


class Question(NamedTuple):
    """What a request wants to know of its pictures."""

    require: tuple[Equipment, ...] = ("helmet", "vest")
    floor: float = 0.25


@dataclass(slots=True)
class Clock:
    """Seconds spent on one request's pictures."""

    started: float = field(default_factory=time.perf_counter)
    decode: float = 0.0
    detect: float = 0.0
    judge: float = 0.0

    def timings(self) -> TimingsSchema:
        """Present them, up to now."""
        total = time.perf_counter() - self.started
        decode, detect, judge, total = (
            round(seconds * 1000, 1) for seconds in (self.decode, self.detect, self.judge, total)
        )
        return TimingsSchema(decode=decode, detect=detect, judge=judge, total=total)


Entry = JudgedSchema | RefusedSchema


class Judge:
    """Judges pictures with a detector.

    Args:
        detector: what looks at them.
        limits: what one picture may cost.
        metrics: is told of each picture.
    """

    def __init__(self, detector: Detector, limits: PictureLimits, metrics: Metrics) -> None:
        self._detector = detector
        self._metrics = metrics
        self._limits = limits
        self._decoders = anyio.CapacityLimiter(DECODERS)
        self._judges = anyio.CapacityLimiter(DECODERS)
        self._decoded = anyio.CapacityLimiter(DECODED)
        self.model = ModelSchema.of(detector.model)
        self.thresholds = ThresholdsSchema.of(detector.model.thresholds)

    async def entries(self, uploads: AsyncIterator[Upload], question: Question, clock: Clock) -> list[Entry]:
        """Judge uploads as they arrive; the entries come in their order.

        Raises:
            Problem: the body is no good (see `uploads`), or MODEL_UNAVAILABLE.
        """
        answered: list[Entry] = []
        running: deque[asyncio.Task[Entry]] = deque()
        try:
            async for upload in uploads:
                index = len(answered) + len(running)
                running.append(asyncio.create_task(self._entry(index, upload, question, clock)))
                if len(running) >= LOOK_AHEAD:
                    answered.append(await running[0])
                    running.popleft()
            while running:
                answered.append(await running[0])
                running.popleft()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        return answered

    async def drawing(self, upload: Upload, question: Question, clock: Clock) -> bytes:
        """Return the annotated picture as a JPEG file.

        Raises:
            PictureError: the picture can't be judged.
            Problem: MODEL_UNAVAILABLE.
        """
        async with self._decoded:
            image, detections = await self._see(upload, clock)
            return await anyio.to_thread.run_sync(self._draw, image, detections, question, limiter=self._judges)

    async def _entry(self, index: int, upload: Upload, question: Question, clock: Clock) -> Entry:
        try:
            async with self._decoded:
                detections = (await self._see(upload, clock))[1]  # the picture itself is let go here
        except PictureError as error:
            return refused(index, upload, error)
        started = time.perf_counter()
        picture = await anyio.to_thread.run_sync(self._present, detections, question, limiter=self._judges)
        clock.judge += time.perf_counter() - started
        return JudgedSchema.of(index, upload.filename, picture)

    async def _see(self, upload: Upload, clock: Clock) -> tuple[Image, Detections]:
        try:
            seen = await self._look(upload, clock)
        except PictureError as error:
            self._metrics.image(error.code)
            raise
        self._metrics.image("judged")
        return seen

    async def _look(self, upload: Upload, clock: Clock) -> tuple[Image, Detections]:
        if upload.size > self._limits.bytes:
            raise PictureError(
                "IMAGE_TOO_LARGE", f"The file has {upload.size} bytes; at most {self._limits.bytes} are taken."
            )
        started = time.perf_counter()
        image = await anyio.to_thread.run_sync(read_picture, upload.content, self._limits, limiter=self._decoders)
        decoded = time.perf_counter()
        clock.decode += decoded - started
        try:
            detections = await asyncio.wrap_future(self._detector.submit(image))
        except DetectorClosed as error:
            raise Problem("MODEL_UNAVAILABLE", "The service is shutting down: ask again in a moment.") from error
        clock.detect += time.perf_counter() - decoded
        return image, detections

    def _present(self, detections: Detections, question: Question) -> PictureSchema:
        people = sightings(detections, self._detector.model.thresholds)
        return present(detections, people, require=question.require, floor=question.floor)

    def _draw(self, image: Image, detections: Detections, question: Question) -> bytes:
        from service.pictures.annotate import annotate  # its drawing library is slow to load, and most never draw

        people = sightings(detections, self._detector.model.thresholds)
        drawn = annotate(image, people, require=question.require)
        _, encoded = cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        return bytes(encoded)


def refused(index: int, upload: Upload, error: PictureError) -> RefusedSchema:
    """Return the entry of a picture that could not be judged."""
    kind = KINDS[error.code]
    return RefusedSchema(
        index=index,
        filename=upload.filename,
        error=ErrorSchema(code=error.code, title=kind.title, detail=error.detail, status=kind.status),
    )
