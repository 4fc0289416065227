"""The shape of Roboflow's inference server: its clients, such as inference-sdk, work by changing their URL.

Both modes of that client are answered. Whatever model a client names, the one that runs here answers. What a client
asks of suppression (`iou_threshold`, `overlap`) is read past: boxes come as `POST /v1/detect` has them.
"""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Final, Literal, cast

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.convertors import Convertor, register_url_convertor

from service.api import describe
from service.api.dropin import floor, from_base64, judged
from service.api.gate import named_late
from service.api.judging import Clock, Judge
from service.api.problems import Problem, words
from service.api.schemas import JudgedSchema
from service.api.uploads import Upload
from service.safety.equipment import CLASS_ID

CONFIDENCE: Final = 0.4
"""Smallest confidence of boxes where a client names none: that server's own."""
INPUT: Final = 640


class _Version(Convertor[int]):
    """A model's version in a path. The framework's own convertor fails on thousands of digits."""

    regex = "[0-9]{1,9}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("version", _Version())
router = APIRouter(include_in_schema=False)  # the shape is somebody else's; docs/drop-in.md has it


class Picture(BaseModel):
    """A picture as it is sent: base64. Addresses of pictures are refused, nothing is fetched for a client."""

    type: Literal["base64"]
    value: str = Field(repr=False)

    def upload(self) -> Upload:
        """Return its bytes."""
        return from_base64(self.value)


class Wanted(BaseModel):
    """A request for boxes; what it has beyond this is settings of other models."""

    model_config = ConfigDict(extra="ignore")

    api_key: str = Field(default="", max_length=200, repr=False)
    image: list[Picture]
    several: bool = Field(default=False, description="The pictures came as a list, and so goes the answer.")
    confidence: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    class_filter: list[str] | None = None

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, body: Any) -> Any:
        if not isinstance(body, dict) or "image" not in body:
            return body
        several = isinstance(body["image"], list)
        return {**body, "image": body["image"] if several else [body["image"]], "several": several}


class Named(BaseModel):
    """A model that a client wants to use."""

    model_config = ConfigDict(extra="ignore")

    api_key: str = Field(default="", max_length=200, repr=False)
    model_id: str = Field(max_length=200)


@router.get("/info")
async def info(request: Request) -> dict[str, str]:
    """Say who answers."""
    await named_late(request, "")
    judge = cast(Judge, request.app.state.judge)
    return {"name": "PPE safety monitor", "version": describe.version(), "uuid": judge.model.sha256[:32]}


@router.get("/model/registry")
async def registry(request: Request) -> dict[str, Any]:
    """List the model that runs."""
    await named_late(request, "")
    return _models("ppe/1")


@router.post("/model/add")
async def add(request: Request) -> dict[str, Any]:
    """Answer as if the model that a client names had been loaded: the one that runs stands for it."""
    return _models("ppe/1", (await _read(request, Named)).model_id)


@router.post("/infer/object_detection")
async def infer(request: Request) -> Any:
    """Return boxes of one picture, or of a list of them as a list."""
    wanted = await _read(request, Wanted)
    if not wanted.image:
        raise Problem("NO_IMAGE", "image: this list holds no picture.")
    uploads = (picture.upload() for picture in wanted.image)
    entries, clock = await judged(request, uploads, floor(wanted.confidence, CONFIDENCE))
    answers = [_answer(entry, clock, wanted.class_filter) for entry in entries]
    return answers if wanted.several else answers[0]


@router.post("/{project}/{version:version}")
async def infer_one(
    request: Request,
    confidence: Annotated[float | None, Query(ge=0, le=100, allow_inf_nan=False)] = None,
    classes: str = "",
    image: str | None = None,
) -> dict[str, Any]:
    """Return boxes of one picture that came as base64, as the hosted service's address takes it."""
    if image is not None:
        raise Problem("PARAMETER_INVALID", "image: nothing is fetched for a client; send the picture as base64.")
    await named_late(request, "")
    upload = from_base64((await request.body()).decode("latin-1"))
    (entry,), clock = await judged(request, [upload], floor(confidence, CONFIDENCE))
    return _answer(entry, clock, classes.split(",") if classes else None)


def _answer(entry: JudgedSchema, clock: Clock, only: list[str] | None) -> dict[str, Any]:
    found = [one for one in entry.detections if only is None or one.class_name in only]
    return {
        "inference_id": str(uuid.uuid4()),
        "time": clock.timings().total / 1000,
        "image": {"width": entry.width, "height": entry.height},
        "predictions": [
            {
                "x": (one.box.x1 + one.box.x2) / 2,
                "y": (one.box.y1 + one.box.y2) / 2,
                "width": one.box.x2 - one.box.x1,
                "height": one.box.y2 - one.box.y1,
                "confidence": one.confidence,
                "class": one.class_name,
                "class_id": CLASS_ID[one.class_name],
                "detection_id": str(uuid.uuid4()),
            }
            for one in found
        ],
    }


def _models(*names: str) -> dict[str, Any]:
    size = {"input_height": INPUT, "input_width": INPUT}
    listed = dict.fromkeys(names)
    return {
        "models": [{"model_id": name, "task_type": "object-detection", "batch_size": None, **size} for name in listed]
    }


async def _read(request: Request, shape: type[Any]) -> Any:
    try:
        read = shape.model_validate_json(await request.body())
    except ValidationError as error:
        await named_late(request, "")
        raise Problem("BODY_INVALID", words(error.errors(), list(shape.model_fields))) from error
    await named_late(request, read.api_key)
    return read
