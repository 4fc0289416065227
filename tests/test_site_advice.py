"""What a site file says and hardly means is doubted, with line and mend; what it means is left alone."""

from __future__ import annotations

import pytest

from service.sitefile import advice, parse_site, placed
from tests.test_sitefile import FULL, HERE, SQUARE, camera

EXEMPT, IGNORED = f"{{polygon: {SQUARE}, exempt: true}}", f"{{polygon: {SQUARE}, ignore: true}}"
LEFT, ALL = "{polygon: [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]}", f"{{polygon: {SQUARE}}}"
NOW_AND_THEN = f"{{polygon: {SQUARE}, exempt: true, schedule: [{{days: [sun]}}]}}"


@pytest.mark.parametrize(
    ("zones", "line", "where", "what"),
    [
        (["office: " + EXEMPT], 4, "cameras.gate.zones", "judges nobody"),
        (["office: " + EXEMPT, "sky: " + IGNORED], 4, "cameras.gate.zones", "leave zones out to judge the whole"),
        (["office: " + NOW_AND_THEN], 4, "cameras.gate.zones", "judges nobody"),
        ([f"yard: {{polygon: {SQUARE}, require: []}}"], 4, "cameras.gate.zones", "add a zone with require:"),
        (["yard: " + LEFT, "sky: " + IGNORED], 4, "cameras.gate.zones", "judges nobody"),
        (
            ["yard: " + LEFT, "gate: " + ALL, "sky: {polygon: [[0, 0], [0.6, 0], [0.6, 1], [0, 1]], ignore: true}"],
            5,
            "cameras.gate.zones.yard",
            "exempt and ignored zones cover all of it",
        ),
    ],
)
def test_zones_that_judge_nobody_are_doubted_with_line_and_mend(
    zones: list[str], line: int, where: str, what: str
) -> None:
    text = camera("zones:", *(f"  {zone}" for zone in zones))
    (doubt,) = placed(text, advice(parse_site(text, HERE)))
    assert (doubt.line, doubt.where) == (line, where)
    assert what in doubt.what


@pytest.mark.parametrize(
    "zones", [[], ["yard: " + ALL, "office: " + NOW_AND_THEN], ["yard: " + ALL, f"sky: {LEFT[:-1]}, ignore: true}}"]]
)
def test_zones_that_ask_for_something_are_not_doubted(zones: list[str]) -> None:
    text = camera("zones:", *(f"  {zone}" for zone in zones)) if zones else camera()
    assert list(advice(parse_site(text, HERE))) == []
    assert list(advice(parse_site(FULL, HERE))) == []


def test_a_remark_stands_at_the_innermost_key_that_is_written_out() -> None:
    remarks = [(("endpoints", "safety", "url"), "a"), (("cameras", "roof", "source"), "b"), (("time", "zone"), "c")]
    assert [str(one) for one in placed(FULL, remarks)] == [
        "line 1: time.zone: c",
        "line 22: cameras.roof.source: b",
        "line 25: endpoints.safety.url: a",
    ]
