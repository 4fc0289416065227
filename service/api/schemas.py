"""The shapes that leave the service as JSON: by HTTP and by ``ppe detect --json`` alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from service.ports import Model
from service.safety.detections import Detections
from service.safety.equipment import CLASSES, ClassName, Equipment, Reason, State
from service.safety.thresholds import Thresholds
from service.safety.wearing import Finding, Sighting

Pixels = Annotated[float, Field(description="Pixels of the upright picture, one decimal.")]
Confidence = Annotated[float, Field(ge=0, le=1, description="0..1, four decimals.")]


class Schema(BaseModel):
    """Base of all answers: frozen, and every field is always present."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class BoxSchema(Schema):
    """Corners of a box in pixels of the upright picture (turned by its EXIF orientation)."""

    x1: Pixels
    y1: Pixels
    x2: Pixels
    y2: Pixels

    @classmethod
    def of(cls, corners: Iterable[float]) -> BoxSchema:
        """Round corners to a tenth of a pixel."""
        x1, y1, x2, y2 = (round(float(value), 1) for value in corners)
        return cls(x1=x1, y1=y1, x2=x2, y2=y2)


class FindingSchema(Schema):
    """What the picture says about one equipment on one person."""

    state: State
    confidence: Confidence | None = Field(description="Confidence of the box that says so; null when unknown.")
    box: BoxSchema | None = Field(description="The box that says so; null when unknown.")
    reason: Reason | None = Field(description="Why it is unknown; null otherwise.")

    @classmethod
    def of(cls, finding: Finding) -> FindingSchema:
        """Present a finding."""
        return cls(
            state=finding.state,
            confidence=None if finding.confidence is None else round(finding.confidence, 4),
            box=None if finding.box is None else BoxSchema.of(finding.box),
            reason=finding.reason,
        )


class PersonSchema(Schema):
    """One person on one picture."""

    id: int = Field(description="Number within this picture's answer, strongest first; it means nothing beyond.")
    box: BoxSchema
    box_inferred: bool = Field(description="True when only equipment was seen and the box is estimated from it.")
    height_px: Pixels = Field(description="Height of the box in pixels as the model saw it; thresholds use this one.")
    source_height_px: Pixels = Field(description="Height of the box in pixels of the picture as it came.")
    confidence: Confidence
    helmet: FindingSchema
    vest: FindingSchema
    compliant: bool | None = Field(
        description="False if a required item is missing, else null if one is unknown, else true."
    )


class DetectionSchema(Schema):
    """One box that the model saw, whether or not it decided anything."""

    class_name: ClassName = Field(serialization_alias="class")
    confidence: Confidence
    box: BoxSchema


class SummarySchema(Schema):
    """Counts over the people of one picture."""

    people: int
    compliant: int
    not_compliant: int
    undecided: int
    helmet_missing: int
    vest_missing: int


class PictureSchema(Schema):
    """Everything about one picture."""

    width: int
    height: int
    people: list[PersonSchema]
    detections: list[DetectionSchema]
    summary: SummarySchema


class PlaceSchema(Schema):
    """Which picture of the request an entry is about."""

    index: int = Field(description="Place in the request, from 0, in order of appearance.")
    filename: str | None = Field(description="The file's name as the client sent it; null when it sent none.")


class JudgedSchema(PictureSchema, PlaceSchema):
    """A picture of the request that was judged."""

    @classmethod
    def of(cls, index: int, filename: str | None, picture: PictureSchema) -> JudgedSchema:
        """Put a presented picture in its place."""
        return cls(index=index, filename=filename, **dict(picture))


class ErrorSchema(Schema):
    """Why one picture of several could not be judged; the same codes as of problems."""

    code: str
    title: str
    detail: str
    status: int = Field(description="What the request would have ended with, had it held this picture only.")


class RefusedSchema(PlaceSchema):
    """A picture of the request that could not be judged."""

    error: ErrorSchema


class TimingsSchema(Schema):
    """Milliseconds, waiting included; `decode`, `detect` and `judge` are sums over the pictures."""

    decode: float
    detect: float
    judge: float
    total: float = Field(
        description="From the request's header to its answer; less than the sum when pictures overlap."
    )


class ModelSchema(Schema):
    """The weights that answered."""

    name: str
    version: str
    sha256: str

    @classmethod
    def of(cls, model: Model) -> ModelSchema:
        """Present a model's identity."""
        return cls(name=model.name, version=model.version, sha256=model.sha256)


class ThresholdsSchema(Schema):
    """The numbers that decided the states."""

    confidence: dict[ClassName, float]
    inferred_confidence: float
    minimum_height: dict[Equipment, float]

    @classmethod
    def of(cls, thresholds: Thresholds) -> ThresholdsSchema:
        """Present thresholds."""
        return cls.model_validate(thresholds.model_dump())


class AnswerSchema(Schema):
    """The answer to one request: an entry for every picture that it held."""

    images: list[JudgedSchema | RefusedSchema]
    model: ModelSchema
    thresholds: ThresholdsSchema
    timings_ms: TimingsSchema
    request_id: str


def present(
    detections: Detections,
    people: tuple[Sighting, ...],
    *,
    require: tuple[Equipment, ...] = ("helmet", "vest"),
    floor: float = 0.25,
) -> PictureSchema:
    """Present one judged picture.

    Args:
        require: what compliant means.
        floor: smallest confidence of a reported detection; states never depend on it.
    """
    shown = [_person(index, sighting, require) for index, sighting in enumerate(people)]
    return PictureSchema(
        width=detections.width,
        height=detections.height,
        people=shown,
        detections=_detections(detections, floor),
        summary=SummarySchema(
            people=len(shown),
            compliant=sum(person.compliant is True for person in shown),
            not_compliant=sum(person.compliant is False for person in shown),
            undecided=sum(person.compliant is None for person in shown),
            helmet_missing=sum(person.helmet.state == "missing" for person in shown),
            vest_missing=sum(person.vest.state == "missing" for person in shown),
        ),
    )


def _person(index: int, sighting: Sighting, require: tuple[Equipment, ...]) -> PersonSchema:
    return PersonSchema(
        id=index,
        box=BoxSchema.of(sighting.box),
        box_inferred=sighting.box_inferred,
        height_px=round(sighting.height, 1),
        source_height_px=round(sighting.source_height, 1),
        confidence=round(sighting.confidence, 4),
        helmet=FindingSchema.of(sighting.helmet),
        vest=FindingSchema.of(sighting.vest),
        compliant=sighting.compliant(require),
    )


def _detections(detections: Detections, floor: float) -> list[DetectionSchema]:
    rows = zip(detections.class_id.tolist(), detections.confidence.tolist(), detections.boxes.tolist(), strict=True)
    strongest = sorted((row for row in rows if row[1] >= floor), key=lambda row: (-row[1], row[0], row[2]))
    return [
        DetectionSchema(class_name=CLASSES[class_id], confidence=round(confidence, 4), box=BoxSchema.of(box))
        for class_id, confidence, box in strongest
    ]
