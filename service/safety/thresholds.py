"""The numbers that decide a state. They stand in the weights' manifest, because they belong to a model."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from service.safety.equipment import CLASSES, ClassName, Equipment


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

    def per_class_id(self) -> tuple[float, ...]:
        """Return the confidence thresholds in class order."""
        return tuple(self.confidence[name] for name in CLASSES)
