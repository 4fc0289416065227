from __future__ import annotations

import pytest

from service.safety.compliance import Compliance, PersonState, Remembered
from service.safety.thresholds import Thresholds
from service.safety.wearing import Finding, Sighting
from tests.safety.films import moment

Box = tuple[float, float, float, float]
HERE: Box = (100, 100, 200, 400)


def sighting(box: Box = HERE, helmet: str = "missing", confidence: float = 0.6) -> Sighting:
    finding = (
        Finding("unknown", reason="no_evidence")
        if helmet == "unknown"
        else Finding(helmet, confidence, (box[0], box[1], box[0] + 30, box[1] + 30))  # type: ignore[arg-type]
    )
    return Sighting(
        box, False, 0.8, box[3] - box[1], box[3] - box[1], finding, Finding("unknown", reason="no_evidence")
    )


def compliance() -> Compliance:
    return Compliance("north", Thresholds())


def play(*frames: list[tuple[int, Sighting]], fps: float = 5.0, watched: Compliance | None = None) -> list[PersonState]:
    watched = watched or compliance()
    states: tuple[PersonState, ...] = ()
    for index, frame in enumerate(frames):
        states = watched.advance(frame, moment(index / fps))
    return list(states)


def test_since_is_when_the_evidence_began_not_when_the_belief_turned() -> None:
    worn = [[(1, sighting(helmet="worn"))]] * 20
    (state,) = play(*worn, *[[(1, sighting())]] * 20)
    assert state.helmet.state == "missing"
    assert state.helmet.since.seconds == pytest.approx(20 / 5)
    assert state.helmet.sightings == 20


def test_one_odd_frame_neither_turns_a_belief_nor_counts_later() -> None:
    odd = [[(1, sighting(helmet="worn"))]] * 20 + [[(1, sighting())]] + [[(1, sighting(helmet="worn"))]] * 5
    (state,) = play(*odd)
    assert state.helmet.state == "worn"
    (turned,) = play(*odd, *[[(1, sighting())]] * 20)
    assert turned.helmet.since.seconds == pytest.approx(26 / 5)


def test_without_decisive_sightings_a_belief_is_unknown() -> None:
    (state,) = play(*[[(1, sighting())]] * 10, *[[(1, sighting(helmet="unknown"))]] * 9)
    assert (state.helmet.state, state.helmet.reason) == ("unknown", "no_evidence")


def test_a_new_track_where_somebody_was_lost_is_the_same_person() -> None:
    before = play(*[[(1, sighting())]] * 10)
    after = play(*[[(1, sighting())]] * 10, *[[]] * 10, [(7, sighting((130, 100, 230, 400)))])
    assert after[0].person == before[0].person


@pytest.mark.parametrize("box", [(500, 100, 600, 400), (100, 100, 140, 220)], ids=["far away", "much smaller"])
def test_a_new_track_elsewhere_or_of_another_size_is_somebody_else(box: Box) -> None:
    before = play(*[[(1, sighting())]] * 10)
    after = play(*[[(1, sighting())]] * 10, *[[]] * 2, [(7, sighting(box))])
    assert after[0].person != before[0].person


def test_nobody_is_remembered_for_ever() -> None:
    watched = compliance()
    (before,) = watched.advance([(1, sighting())], moment(0))
    (after,) = watched.advance([(7, sighting())], moment(61))
    assert after.person != before.person


def test_a_newcomer_beside_a_dying_track_turns_out_to_be_the_old_person() -> None:
    """While two people cross, a box around both carries the old track on; the worker's own box gets a new one."""
    around_both: Box = (100, 90, 330, 400)
    film = [
        *[[(1, sighting()), (2, sighting((230, 100, 330, 400)))]] * 15,
        *[[(1, sighting(around_both)), (2, sighting((230, 100, 330, 400))), (7, sighting())]] * 3,
        [(2, sighting((230, 100, 330, 400))), (7, sighting())],
    ]
    first = {state.sighting.box: state.person for state in play(*film[:1])}
    last = {state.sighting.box: state.person for state in play(*film)}
    assert last[HERE] == first[HERE]
    assert len(set(last.values())) == 2


def test_two_lost_people_are_not_given_to_one_newcomer() -> None:
    film = [[(1, sighting()), (2, sighting((150, 100, 250, 400)))]] * 5
    states = play(*film, [(7, sighting((110, 100, 210, 400))), (8, sighting((160, 100, 260, 400)))])
    assert len({state.person for state in states}) == 2


def test_who_was_remembered_from_before_a_restart_is_found_again() -> None:
    watched = compliance()
    watched.restore([Remembered("abc", HERE, moment(-5))])
    (state,) = watched.advance([(0, sighting())], moment(0))
    assert state.person == "abc"


def test_confidence_weighs() -> None:
    """Two weak helmets a second do not outvote three sure bare heads."""
    film = [[(1, sighting(helmet="worn" if index % 5 < 2 else "missing", confidence=0.3 if index % 5 < 2 else 0.8))]
            for index in range(40)]  # fmt: skip
    assert play(*film)[0].helmet.state == "missing"
