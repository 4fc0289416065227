"""The ring of a camera's last pictures: bounded whatever comes, and in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.safety.moment import Moment
from service.worker.ring import GAP, Ring, Shot

SHOTS = st.lists(st.tuples(st.floats(0.01, 5), st.integers(0, 400)), max_size=80)


@given(SHOTS, st.floats(0.5, 12), st.integers(1, 1000))
def test_it_is_bounded_and_keeps_the_newest_in_order(made: list[tuple[float, int]], seconds: float, most: int) -> None:
    ring, now = Ring(seconds, most), 0.0
    for gap, size in made:
        now += gap
        ring.add(Shot(Moment(now, 0), bytes(size)))
        held = ring.between(0, now)
        times = [shot.at.seconds for shot in held]
        assert times == sorted(set(times))
        assert ring.size == sum(len(shot.jpeg) for shot in held) <= most
        assert not held or now - times[0] <= seconds
        assert size > most or times[-1] == now


def test_too_many_bytes_thin_it_out_over_all_its_time() -> None:
    ring = Ring(12, 40)
    for number in range(13):
        ring.add(Shot(Moment(float(number), 0), bytes(4)))
    times = [shot.at.seconds for shot in ring.between(0, 99)]
    assert times[-1] == 12 and times[0] <= 2
    assert 5 <= len(times) <= 10


def test_time_without_pictures_empties_it() -> None:
    ring = Ring()
    for number in range(13):
        ring.add(Shot(Moment(float(number), 0), b"x"))
    ring.forget(Moment(20.0, 0))
    assert [shot.at.seconds for shot in ring.between(0, 99)] == [8, 9, 10, 11, 12]
    ring.forget(Moment(60.0, 0))
    assert (ring.between(0, 99), ring.size) == ((), 0)


def test_ten_pictures_a_second_are_enough() -> None:
    ring = Ring()
    assert ring.wants(Moment(1.0, 0))
    ring.add(Shot(Moment(1.0, 0), b"x"))
    assert not ring.wants(Moment(1.0 + GAP / 2, 0))
    assert ring.wants(Moment(1.1, 0))


def test_what_is_between_is_given_with_its_ends() -> None:
    ring = Ring()
    for number in range(5):
        ring.add(Shot(Moment(float(number), 0), b"x"))
    assert [shot.at.seconds for shot in ring.between(1, 3)] == [1, 2, 3]
