"""Repeat-factor sampling: rare classes are shown more often, the same way each time."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from service.lab.sampling import repeated


@pytest.fixture
def split(tmp_path: Path) -> Path:
    """A hundred pictures: class 0 on all, class 1 on four, one picture without a box."""
    for kind in ("images", "labels"):
        (tmp_path / kind).mkdir()
    for number in range(100):
        (tmp_path / "images" / f"{number:03d}.jpg").touch()
        rows = "0 0.5 0.5 0.1 0.1\n" + ("1 0.5 0.5 0.1 0.1\n" if number % 25 == 0 else "")
        (tmp_path / "labels" / f"{number:03d}.txt").write_text("" if number == 7 else rows, encoding="utf-8")
    (tmp_path / "images" / "notes.md").touch()
    return tmp_path


def test_nothing_is_repeated_without_a_share(split: Path) -> None:
    shown = repeated(split, 0.0, 1)
    assert [path.name for path in shown] == [f"{number:03d}.jpg" for number in range(100)]


def test_a_factor_is_the_root_of_wanted_over_seen(split: Path) -> None:
    shown = Counter(path.name for path in repeated(split, 0.36, 1))  # sqrt(0.36 / 0.04) = 3
    assert {shown[f"{number:03d}.jpg"] for number in (0, 25, 50, 75)} == {3}
    assert {count for name, count in shown.items() if int(name[:3]) % 25} == {1}


def test_a_fraction_is_drawn_by_lot_and_the_seed_decides(split: Path) -> None:
    times = []
    for seed in range(40):
        assert repeated(split, 0.09, seed) == repeated(split, 0.09, seed)
        times.append(len(repeated(split, 0.09, seed)) - 100)  # a factor of 1.5 on four pictures
    assert set(times) <= {0, 1, 2, 3, 4}
    assert 1.5 < sum(times) / len(times) < 2.5


def test_every_picture_is_shown_at_least_once(split: Path) -> None:
    assert {path.name for path in repeated(split, 1.0, 3)} == {f"{number:03d}.jpg" for number in range(100)}
