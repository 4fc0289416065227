from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.pictures.decode import PictureError, PictureLimits, check_header, read_picture

IMAGE = np.random.default_rng(3).integers(0, 255, (60, 80, 3), np.uint8)
PNG = cv2.imencode(".png", IMAGE)[1].tobytes()
LIMITS = PictureLimits()


def places() -> list[int]:
    """Where the chunks of the PNG begin, but the last."""
    found, place = [], 8
    while PNG[place + 4 : place + 8] != b"IEND":
        found.append(place)
        place += 12 + int.from_bytes(PNG[place : place + 4])
    return found


def test_a_whole_png_is_read_whatever_follows_it() -> None:
    for behind in (b"", b"tail" * 100):
        assert np.array_equal(read_picture(PNG + behind, LIMITS), IMAGE)


@given(st.sampled_from(places()[1:]), st.integers(len(PNG), 2**31 - 1))
def test_a_chunk_longer_than_the_file_is_refused_before_anything_is_decoded(place: int, length: int) -> None:
    """OpenCV takes and clears as much memory as the chunk claims: 150 kB cost 2 GB and 8 seconds."""
    with pytest.raises(PictureError) as refusal:
        check_header(PNG[:place] + length.to_bytes(4) + PNG[place + 4 :], LIMITS)
    assert refusal.value.code == "IMAGE_UNREADABLE"
    assert "damaged" in refusal.value.detail


@given(st.integers(8, len(PNG) - 13))
def test_a_png_that_is_cut_short_is_refused(end: int) -> None:
    with pytest.raises(PictureError) as refusal:
        read_picture(PNG[:end], LIMITS)
    assert refusal.value.code == "IMAGE_UNREADABLE"


JPEG = cv2.imencode(".jpg", IMAGE)[1].tobytes()


@pytest.mark.parametrize(
    "bent",
    [
        JPEG[:2] + b"\xff\x01" * 5_000_000 + b"\xff\xda\x00\x02" * 70 + JPEG[2:],
        JPEG[:-2] + b"\xff\xda\x00\x02" * 70,
        PNG[:33] + b"\x00\x00\x00\x00tEXt\x00\x00\x00\x00" * 800_000 + PNG[33:],
    ],
)
def test_a_picture_of_endless_pieces_is_refused_in_no_time(bent: bytes) -> None:
    began = time.process_time()
    with pytest.raises(PictureError) as refusal:
        check_header(bent, LIMITS)
    assert refusal.value.code == "IMAGE_UNREADABLE"
    assert time.process_time() - began < 1.0


def test_jpegs_are_read_with_their_scans_and_whatever_follows() -> None:
    several = cv2.imencode(".jpg", IMAGE, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    for content in (JPEG, several, JPEG + b"\xff\xda" * 100):
        assert read_picture(content, LIMITS).shape == IMAGE.shape
