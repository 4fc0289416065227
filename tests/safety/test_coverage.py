"""Person-seconds by zone: people count where they are judged, once; over all zones it is what the camera counts."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from service.safety.coverage import Coverage, PersonSeconds
from service.safety.equipment import Equipment, State
from service.safety.monitor import Monitor
from service.safety.rules import Demand
from service.safety.site import Scene, Zone
from service.safety.thresholds import Thresholds
from tests.safety.films import NearestTracker, frames, moment, worker
from tests.safety.test_monitor import EXAMPLES

STANDINGS: dict[str, State] = {"met": "worn", "violated": "missing", "unknown": "unknown"}
Zoned = tuple[str, Equipment, str]


def strip(name: str, left: float, right: float) -> Zone:
    return Zone(id=name, polygon=((left, 0), (right, 0), (right, 1), (left, 1)))


def over_zones(seconds: PersonSeconds) -> Counter[tuple[Equipment, State]]:
    sums: Counter[tuple[Equipment, State]] = Counter()
    for (_, equipment, state), value in seconds.items():
        sums[equipment, state] += value  # type: ignore[assignment]  # of seconds
    return sums


@given(
    st.lists(
        st.lists(
            st.tuples(
                st.sampled_from(["yard", "dock", "whole-picture"]),
                st.sampled_from(["helmet", "vest"]),
                st.sampled_from(list(STANDINGS)),
            ),
            max_size=8,
        ),
        min_size=1,
        max_size=8,
    )
)
def test_every_demand_counts_once_in_its_zone(film: list[list[Zoned]]) -> None:
    coverage, step = Coverage("north"), 0.0
    for second, frame in enumerate(film):
        asked = [
            Demand("p", zone, equipment, standing, moment(0), 1, (0.0, 0.0, 1.0, 1.0))  # type: ignore[arg-type]
            for zone, equipment, standing in frame
        ]
        added, _ = coverage.advance(asked, moment(float(second)))
        wanted = Counter((zone, equipment, STANDINGS[standing]) for zone, equipment, standing in frame)
        assert added == {key: number * step for key, number in wanted.items()}
        before = Counter((equipment, STANDINGS[standing]) for _, equipment, standing in frame)
        assert over_zones(added) == {key: number * step for key, number in before.items()}
        step = 1.0


@settings(max_examples=EXAMPLES)
@given(st.lists(st.floats(0.1, 0.9), max_size=3, unique=True), st.lists(st.integers(0, 8), unique=True, max_size=4))
def test_zones_that_do_not_overlap_add_up_to_the_whole_picture(cuts: list[float], people: list[int]) -> None:
    edges = [0.0, *sorted(cuts), 1.0]
    strips = [strip(f"zone-{at}", *pair) for at, pair in enumerate(pairwise(edges))]
    whole, parted = (
        Monitor(Scene(camera="north", zones=zones), Thresholds(), NearestTracker()) for zones in ((), tuple(strips))
    )
    bare = {place: "no-vest" if place % 2 else None for place in people}
    crowd = [row for place in people for row in worker(x=place * 110, vest=bare[place])]  # type: ignore[arg-type]
    for seen, at in frames(lambda _: crowd, 3):
        one, other = whole.observe(seen, at).person_seconds, parted.observe(seen, at).person_seconds
        assert {zone for zone, _, _ in one} <= {"whole-picture"}
        assert over_zones(other) == over_zones(one)
        feet = {next(zone.id for zone in strips if zone.holds((place * 110 + 50) / 1000, 0.5)) for place in people}
        assert {zone for zone, _, _ in other} in (feet, set())  # nobody is followed from the first frame on


def test_who_stands_in_two_zones_counts_in_the_one_that_an_alert_names() -> None:
    zones = (strip("yard", 0, 0.6), strip("dock", 0.3, 1))
    watched = Monitor(Scene(camera="north", zones=zones), Thresholds(), NearestTracker())
    counted: set[str] = set()
    named: set[str] = set()
    for seen, at in frames(lambda _: worker(x=400, vest="no-vest"), 8):
        told = watched.observe(seen, at)
        counted |= {zone for zone, _, _ in told.person_seconds}
        named |= {change.alert.zone for change in told.alerts}
    assert counted == named == {"yard"}
