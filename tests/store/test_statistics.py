"""Person-seconds and heights add up by camera, zone and hour."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.safety.moment import Moment
from service.store.statistics import HOUR_MS, HourOf
from service.store.store import Store

NOON = 486_000 * HOUR_MS
FOREVER = 2 * NOON


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store", []) as made:
        yield made


def test_seconds_add_up_by_hour_and_state_over_flushes_and_restarts(store: Store, tmp_path: Path) -> None:
    for second in range(-2, 4):
        at = Moment(second, NOON + second * 1000)
        store.count("gate", at, {("yard", "helmet", "worn"): 0.5, ("yard", "vest", "unknown"): 0.25}, [])
        store.count("dock", at, {("yard", "helmet", "worn"): 1.0}, [])
        store.flush()
    store.count("gate", Moment(-1, NOON - 1), {("dock", "helmet", "worn"): 2.0}, [])
    store.close()
    with Store(tmp_path / "store", []) as again:
        again.count("gate", Moment(9, NOON + 9000), {("yard", "helmet", "worn"): 0.5}, [])
        assert again.person_seconds("gate", 0, FOREVER) == [
            HourOf(NOON - HOUR_MS, "dock", "helmet", "worn", 2.0),
            HourOf(NOON - HOUR_MS, "yard", "helmet", "worn", 1.0),
            HourOf(NOON - HOUR_MS, "yard", "vest", "unknown", 0.5),
            HourOf(NOON, "yard", "helmet", "worn", 2.5),
            HourOf(NOON, "yard", "vest", "unknown", 1.0),
        ]
        assert again.person_seconds("gate", NOON + HOUR_MS, FOREVER) == []


def test_heights_are_counted_in_bins_of_ten_pixels(store: Store) -> None:
    store.count("gate", Moment(0, NOON), {}, [100.0, 109.99, 110.0, 0.0])
    store.count("gate", Moment(0, NOON + HOUR_MS), {}, [105.0])
    assert store.heights("gate", 0, FOREVER) == {0: 1, 100: 3, 110: 1}
    assert store.heights("gate", NOON, NOON + HOUR_MS) == {0: 1, 100: 2, 110: 1}


@pytest.mark.parametrize("strange", [-1.0, float("nan"), float("inf")])
def test_what_is_no_amount_is_refused_whole(store: Store, strange: float) -> None:
    with pytest.raises(ValueError, match="numbers from 0 on"):
        store.count("gate", Moment(0, NOON), {("yard", "helmet", "worn"): 1.0}, [strange])
    with pytest.raises(ValueError, match="numbers from 0 on"):
        store.count("gate", Moment(0, NOON), {("yard", "helmet", "worn"): strange}, [1.0])
    assert store.person_seconds("gate", 0, FOREVER) == []
    assert store.heights("gate", 0, FOREVER) == {}
