"""The numbers that decide a state. They stand in the weights' manifest, because they belong to a model."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.safety.equipment import CLASSES, EQUIPMENT, ClassName, Equipment


class Thresholds(BaseModel):
    """What a detection must reach before it says anything about a person.

    Attributes:
        confidence: smallest confidence per class that counts as evidence.
        inferred_confidence: smallest confidence of an item from which a person without a box of their own is inferred.
        minimum_height: pixels, as the model saw the person, from which each equipment can be judged.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    confidence: dict[ClassName, float] = Field(
        default={"helmet": 0.35, "no-helmet": 0.35, "vest": 0.35, "no-vest": 0.35, "person": 0.35}
    )
    inferred_confidence: float = Field(default=0.5, ge=0, le=1)
    minimum_height: dict[Equipment, float] = Field(default={"helmet": 50.0, "vest": 50.0})

    @model_validator(mode="after")
    def _complete(self) -> Thresholds:
        lacking = [f"confidence {name}" for name in CLASSES if name not in self.confidence]
        lacking += [f"minimum_height {name}" for name in EQUIPMENT if name not in self.minimum_height]
        if lacking:
            raise ValueError(f"missing: {', '.join(lacking)}")
        if not all(0 <= value <= 1 for value in self.confidence.values()):
            raise ValueError("confidences must lie in 0..1")
        if not all(0 <= value < 10_000 for value in self.minimum_height.values()):
            raise ValueError("minimum heights are pixels from 0 to 10,000")
        return self

    def per_class_id(self) -> tuple[float, ...]:
        """Return the confidence thresholds in class order."""
        return tuple(self.confidence[name] for name in CLASSES)
