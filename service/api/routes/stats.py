"""``GET /v1/stats``: how much of the time equipment was worn, and how much of the time that could be told."""

from __future__ import annotations

import csv
import io
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from service.api import describe, examples
from service.api.instants import AskedInstant, from_ms
from service.api.problems import Problem
from service.api.routes.alerts import AtDesk
from service.api.watched import GroupSchema, ShareSchema, StatsSchema, shares
from service.inquiry import Grouping, Span
from service.safety.equipment import Equipment

DAY_MS: Final = 86_400_000
LONGEST_MS: Final = 92 * DAY_MS
"""A quarter of a year: by equipment and hour that is 4,400 groups for each zone in which there are always people."""
GROUPINGS: Final[tuple[Grouping, ...]] = ("camera", "zone", "equipment", "hour")

router = APIRouter(tags=["Statistics"])


class StatsQuery(BaseModel):
    """Whose compliance is asked for. An unknown parameter is refused, so that a misspelt one can't go unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: AskedInstant | None = Field(
        default=None, description="Of hours that begin then or later; 24 hours before `until` when it is not said."
    )
    until: AskedInstant | None = Field(default=None, description="Of hours that begin before then; now if not said.")
    camera: str | None = Field(default=None, max_length=100, description="Of this camera.", examples=["north"])
    zone: str | None = Field(default=None, max_length=100, description="In the zone of this id.", examples=["gate"])
    equipment: Equipment | None = Field(default=None, description="Of this equipment.")
    by: str = Field(
        default="camera,equipment,hour",
        max_length=100,
        json_schema_extra={"pattern": "^(camera|zone|equipment|hour)(,(camera|zone|equipment|hour))*$"},
        description="What to group by: some of camera, zone, equipment and hour, with a comma between them.",
        examples=["camera,equipment,hour", "camera,zone,equipment", "equipment"],
    )
    form: Literal["json", "csv"] = Field(default="json", alias="format", description="How the groups are given.")

    def groupings(self) -> list[Grouping]:
        """Return what they group by.

        Raises:
            Problem: PARAMETER_INVALID.
        """
        asked = self.by.split(",")
        if not set(asked) <= set(GROUPINGS):
            raise Problem("PARAMETER_INVALID", f"by: say some of {', '.join(GROUPINGS)}, with a comma between them")
        return [one for one in GROUPINGS if one in asked]

    def span(self, now_ms: int) -> Span:
        """Return whose person-seconds they ask for.

        Raises:
            Problem: PARAMETER_INVALID.
        """
        until = now_ms if self.until is None else self.until
        since = until - DAY_MS if self.since is None else self.since
        if not 0 < until - since <= LONGEST_MS:
            raise Problem("PARAMETER_INVALID", "since: say a time before until, by 92 days at most")
        return Span(since, until, self.camera, self.zone, self.equipment)


@router.get(
    "/v1/stats",
    operation_id="get_statistics",
    summary="Tell how much of the time equipment was worn",
    response_model=StatsSchema,
    responses={
        200: {
            **examples.answer(examples.STATS),
            "description": "Compliance. With `format=csv`: the groups, a line each.",
            "content": {
                **examples.answer(examples.STATS)["content"],
                "text/csv": {"schema": {"type": "string"}, "example": examples.STATS_CSV},
            },
        },
        **describe.problems(*describe.WATCHING),
    },
)
def stats(query: Annotated[StatsQuery, Query()], desk: AtDesk) -> StatsSchema | Response:
    """Tell compliance = worn / (worn + missing) person-seconds, with the unknown and the coverage beside it."""
    by, span = query.groupings(), query.span(desk.clock.now().wall_ms)
    found = desk.records.compliance(span, by)
    groups = [GroupSchema.of(share) for share in found]
    if query.form == "csv":
        return Response(_csv(groups), media_type="text/csv")
    total = ShareSchema.model_validate(shares(found))
    return StatsSchema(since=from_ms(span.from_ms), until=from_ms(span.to_ms), total=total, groups=groups)


def _csv(groups: list[GroupSchema]) -> str:
    columns = [*GROUPINGS, "worn_s", "missing_s", "unknown_s", "compliance", "coverage"]
    text = io.StringIO()
    lines = csv.DictWriter(text, columns)
    lines.writeheader()
    lines.writerows(group.model_dump() for group in groups)
    return text.getvalue()
