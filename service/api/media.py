"""Which form of the answer a client asks for with ``Accept`` (RFC 9110, 12.5.1)."""

from __future__ import annotations

from typing import Literal

from service.api.problems import Problem

Form = Literal["application/json", "image/jpeg"]


def answer_form(accept: str | None) -> Form:
    """Choose between the JSON answer and the annotated picture.

    The picture comes only where ``image/jpeg`` or ``image/*`` is asked for more than JSON is.

    Raises:
        Problem: NOT_ACCEPTABLE, where neither is taken.
    """
    if accept is None or not accept.strip():
        return "application/json"
    asked = _weights(accept)
    as_json = _first(asked, "application/json", "application/*", "*/*")
    as_jpeg = _first(asked, "image/jpeg", "image/*")
    if as_jpeg > as_json:
        return "image/jpeg"
    if as_json > 0:
        return "application/json"
    raise Problem("NOT_ACCEPTABLE", "Accept must take application/json, or image/jpeg for the annotated picture.")


def _weights(accept: str) -> dict[str, float]:
    weights = {}
    for asked in accept.split(","):
        name, *parameters = (part.strip().lower() for part in asked.split(";"))
        weights[name] = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                weights[name] = _weight(parameter[2:])
    return weights


def _weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def _first(weights: dict[str, float], *names: str) -> float:
    """Return the weight of the most specific range that is asked for; 0 when none is."""
    return next((weights[name] for name in names if name in weights), 0.0)
