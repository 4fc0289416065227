"""Heads of other pictures pasted over heads: the labels say what is to be seen afterwards, and nothing else moves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.lab.pasting import BARE, HELMET, HeadPaster
from service.safety.equipment import PERSON

torch: Any = pytest.importorskip("torch", reason="needs torch (the extra train)")

SIDE = 96
COLOURS = {HELMET: (1.0, 0.9, 0.1), BARE: (0.3, 0.1, 0.6)}
"""Heads of the tests: stripes of one colour a class, on grey."""
Box = tuple[int, float, float, float, float]
"""Class and corners in pixels."""


def batch(*pictures: list[Box]) -> dict[str, Any]:
    images = torch.full((len(pictures), 3, SIDE, SIDE), 0.5)
    rows = [(index, *box) for index, boxes in enumerate(pictures) for box in boxes]
    for index, label, left, top, right, bottom in rows:
        if label in COLOURS:
            head = images[index, :, int(top) : int(bottom), int(left) : int(right)]
            head[:] = torch.tensor(COLOURS[label])[:, None, None]
            head[:, ::2] *= 0.4
    boxes = [((a + c) / 2 / SIDE, (b + d) / 2 / SIDE, (c - a) / SIDE, (d - b) / SIDE) for _, _, a, b, c, d in rows]
    return {
        "img": images,
        "bboxes": torch.tensor(boxes).reshape(-1, 4),
        "cls": torch.tensor([[float(label)] for _, label, *_ in rows]).reshape(-1, 1),
        "batch_idx": torch.tensor([float(index) for index, *_ in rows]),
    }


def colour(image: Any, box: Any) -> Any:
    """Mean colour in the middle of a box given as centre and size, in shares of the picture."""
    x, y, wide, high = (box * SIDE).tolist()
    middle = image[:, round(y - high / 4) : round(y + high / 4), round(x - wide / 4) : round(x + wide / 4)]
    return middle.mean(dim=(1, 2))


def looks_like(image: Any, box: Any) -> int:
    seen = colour(image, box)
    return min(COLOURS, key=lambda label: float((seen - 0.7 * torch.tensor(COLOURS[label])).abs().sum()))


@pytest.fixture
def site() -> dict[str, Any]:
    """A bare head and a helmet, each on a person, in two pictures."""
    return batch(
        [(BARE, 36, 30, 60, 54), (PERSON, 30, 28, 66, 95)],
        [(HELMET, 36, 30, 60, 48), (PERSON, 30, 28, 66, 95)],
    )


@settings(max_examples=60, deadline=None)
@given(
    heads=st.lists(
        st.tuples(
            st.sampled_from((HELMET, BARE)),
            st.integers(0, 70),
            st.integers(0, 70),
            st.integers(2, 40),
            st.integers(2, 40),
        ),
        max_size=4,
    ),
    seed=st.integers(0, 2**32),
)
def test_whatever_is_pasted_the_batch_stays_a_batch(heads: list[tuple[int, int, int, int, int]], seed: int) -> None:
    boxes = [(label, x, y, min(x + wide, SIDE), min(y + high, SIDE)) for label, x, y, wide, high in heads]
    whole = batch(boxes, boxes[::-1], [(PERSON, 5, 5, 90, 90)])
    before = {name: value.clone() for name, value in whole.items()}
    paste = HeadPaster(1.0, seed)
    for _ in range(2):
        after = paste(whole)
        assert {name: value.shape for name, value in after.items()} == {
            name: value.shape for name, value in before.items()
        }
        assert bool(((after["img"] >= 0) & (after["img"] <= 1.001)).all())
        centre, half = after["bboxes"][:, :2], after["bboxes"][:, 2:] / 2
        assert bool(((centre - half > -1e-4) & (centre + half < 1 + 1e-4)).all())
        assert bool(((after["cls"] == PERSON) == (before["cls"] == PERSON)).all())
        assert torch.equal(after["img"][2], before["img"][2])  # nobody's head there
        assert all(torch.equal(whole[name], value) for name, value in before.items())


def test_the_label_says_what_is_seen(site: dict[str, Any]) -> None:
    turned = set()
    for seed in range(20):
        after = HeadPaster(1.0, seed)(site)
        for row in (0, 2):
            label = int(after["cls"][row])
            turned.add((int(site["cls"][row]), label))
            assert looks_like(after["img"][row // 2], after["bboxes"][row]) == label
        assert torch.equal(after["bboxes"][1], site["bboxes"][1])  # persons stay where they are
    assert turned == {(BARE, BARE), (BARE, HELMET), (HELMET, BARE), (HELMET, HELMET)}


def test_a_head_keeps_its_shape_and_its_top(site: dict[str, Any]) -> None:
    after = next(after for after in (HeadPaster(1.0, seed)(site) for seed in range(20)) if int(after["cls"][2]) == BARE)
    x, y, wide, high = (after["bboxes"][2] * SIDE).tolist()
    assert (x, y - high / 2) == pytest.approx((48, 30))
    assert wide == pytest.approx(24 * 1.1)  # covers the shell
    assert high / wide == pytest.approx(1.0)  # as the bare head is


def test_heads_of_earlier_batches_are_kept(site: dict[str, Any]) -> None:
    paste = HeadPaster(1.0, 1)
    paste(site)
    helmets = batch([(HELMET, 36, 30, 60, 48)])
    assert BARE in {int(paste(helmets)["cls"][0]) for _ in range(20)}


@pytest.mark.parametrize(
    "bare",
    [
        pytest.param((BARE, 0, 30, 24, 54), id="cut off by the border"),
        pytest.param((BARE, 30, 30, 42, 42), id="too small"),
        pytest.param((BARE, 20, 30, 76, 54), id="flatter than a head"),
        pytest.param((BARE, 40, 20, 56, 60), id="longer than a head"),
    ],
)
def test_what_is_no_whole_head_is_not_pasted(bare: Box) -> None:
    paste = HeadPaster(1.0, 1)
    for _ in range(20):
        after = paste(batch([bare], [(HELMET, 36, 30, 60, 48)]))
        assert int(after["cls"][1]) == HELMET


def test_a_blot_is_not_pasted(site: dict[str, Any]) -> None:
    site["img"][0] = 0.5
    assert all(int(HeadPaster(1.0, seed)(site)["cls"][2]) == HELMET for seed in range(20))


def test_another_head_is_never_hidden() -> None:
    crowd = batch([(HELMET, 36, 30, 60, 48), (HELMET, 34, 44, 58, 62)], [(BARE, 36, 30, 60, 54)])
    for seed in range(20):
        after = HeadPaster(1.0, seed)(crowd)
        assert torch.equal(after["img"][0], crowd["img"][0])


def test_the_share_is_of_the_pictures(site: dict[str, Any]) -> None:
    paste = HeadPaster(0.25, 5)
    changed = sum(
        not torch.equal(one, other)
        for _ in range(200)
        for one, other in zip(paste(site)["img"], site["img"], strict=True)
    )
    assert 60 <= changed <= 140
    assert HeadPaster(0.0, 5)(site) is site


def test_one_seed_is_one_batch(site: dict[str, Any]) -> None:
    one, other = HeadPaster(0.5, 9)(site), HeadPaster(0.5, 9)(site)
    assert all(torch.equal(one[name], other[name]) for name in one)
