"""``GET /metrics``: how the service does, for Prometheus."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from starlette.responses import Response

from service.api import describe
from service.api.scrape import Scrape

_EXAMPLE: Final = (
    "# HELP ppe_camera_frames_judged_total Frames that were judged.\n"
    "# TYPE ppe_camera_frames_judged_total counter\n"
    'ppe_camera_frames_judged_total{camera="north"} 18422.0\n'
)
_ANSWER: Final[dict[str, Any]] = {
    "description": "Every metric, in Prometheus's text format 0.0.4.",
    "content": {"text/plain": {"schema": {"type": "string"}, "example": _EXAMPLE}},
}

router = APIRouter(tags=["Health"])


@router.get(
    "/metrics",
    operation_id="get_metrics",
    summary="Tell the service's metrics",
    response_class=Response,
    responses={200: _ANSWER, **describe.problems(*describe.GUARDED, "METHOD_NOT_ALLOWED", "INTERNAL")},
)
def metrics(request: Request) -> Response:
    """Tell every metric; docs/operating.md says what each is."""
    return Response(generate_latest(Scrape(request.app)), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})
