"""The words of the trade: classes that a model knows, equipment that a person wears, and what says what.

The class names and their order are part of the weights' contract; a model that lacks one can't serve the rules.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

ClassName = Literal["helmet", "no-helmet", "vest", "no-vest", "person"]
Equipment = Literal["helmet", "vest"]
State = Literal["worn", "missing", "unknown"]
Reason = Literal["too_small", "out_of_picture", "hidden", "no_evidence", "stale_input"]

CLASSES: Final[tuple[ClassName, ...]] = get_args(ClassName)
EQUIPMENT: Final[tuple[Equipment, ...]] = get_args(Equipment)

CLASS_ID: Final[dict[ClassName, int]] = {name: index for index, name in enumerate(CLASSES)}
PERSON: Final[int] = CLASS_ID["person"]

WORN_CLASS: Final[dict[Equipment, int]] = {"helmet": CLASS_ID["helmet"], "vest": CLASS_ID["vest"]}
MISSING_CLASS: Final[dict[Equipment, int]] = {"helmet": CLASS_ID["no-helmet"], "vest": CLASS_ID["no-vest"]}
OPPOSITE: Final[dict[str, str]] = {"helmet": "no-helmet", "no-helmet": "helmet", "vest": "no-vest", "no-vest": "vest"}
"""What a class denies; a person has none."""
