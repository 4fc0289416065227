from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.sitefile import CameraEntry, parse_site
from service.sitefile.editing import entry_of, with_camera

HERE = Path("site.yaml")
TEXT = """\
# kept by hand
name: Plant 4   # of the site
time_zone: Asia/Seoul

cameras:
  gate:                # the north one
    source: rtsp://10.0.0.5/live   # main stream
    fps: 2.5
    zones:
      yard:
        polygon: [[0.0, 0.4], [0.7, 0.4], [0.7, 1.0], [0.0, 1.0]]   # drawn by Kim
        schedule:
          - {days: [mon, tue], from: 07:00, to: "18:00"}
  hall: /dev/video0    # the webcam

endpoints:
  office:
    url: https://example.org/hook
    secret_env: HOOK_SECRET   # never here
"""
NAMES = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,8}", fullmatch=True)
ODD = st.sampled_from(
    ["on", "no", "null", "~", "1e3", "0x1f", "12:30", "2026-11-24", "a: b", "# c", "- d", "'", '"', ""]
)
TEXTS = ODD | st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=20)
CORNERS = st.sampled_from(
    [[[0.0, 0.0], [0.5, 0.0], [0.5, 0.5]], [[0.1, 0.4], [0.7, 0.4], [0.7, 1.0], [0.0, 1.0]], [[0, 0], [1, 0], [1, 1]]]
)
SHIFTS = st.fixed_dictionaries(
    {"from": st.sampled_from(["07:00", "22:30"])}, optional={"to": st.just("12:30"), "days": st.just(["sat", "sun"])}
)
ZONES = st.fixed_dictionaries(
    {"polygon": CORNERS},
    optional={
        "name": TEXTS,
        "exempt": st.just(True),
        "schedule": st.lists(SHIFTS, min_size=1, max_size=2),
        "require": st.sampled_from([["vest"], [{"equipment": "vest", "absent_after": 6}]]),
    },
)
ENTRIES = st.fixed_dictionaries(
    {"source": st.sampled_from(["rtsp://10.0.0.9/on", "films/yard.mp4", "/dev/video1"])},
    optional={
        "name": TEXTS,
        "fps": st.sampled_from([1, 2.5, 7]),
        "user": TEXTS,
        "motion_gate": st.booleans(),
        "zones": st.dictionaries(NAMES, ZONES, max_size=3),
    },
)


@given(NAMES | st.sampled_from(["gate", "hall"]), ENTRIES, ENTRIES)
def test_what_is_written_is_what_is_read_and_nothing_else_changes(
    camera: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    text = TEXT
    for entry in (first, second):
        text = with_camera(text, camera, entry)
        read = parse_site(text, HERE)
        assert read.cameras[camera] == CameraEntry.model_validate(entry)
        before = parse_site(TEXT, HERE)
        others = {one: known for one, known in before.cameras.items() if one != camera}
        assert {one: read.cameras[one] for one in others} == others
        assert read.model_copy(update={"cameras": before.cameras}) == before
        kept = ["# kept by hand", "# of the site", "# never here"]
        assert all(comment in text for comment in kept)


@given(ENTRIES)
def test_an_entry_that_was_given_out_says_the_same_when_it_comes_back(entry: dict[str, Any]) -> None:
    camera = CameraEntry.model_validate(entry)
    assert CameraEntry.model_validate(entry_of(camera)) == camera


def test_a_change_of_one_thing_leaves_all_other_lines() -> None:
    entry = entry_of(parse_site(TEXT, HERE).cameras["gate"])
    edited = with_camera(TEXT, "gate", {**entry, "fps": 5})
    assert edited == TEXT.replace("fps: 2.5", "fps: 5")
    entry["zones"]["dock"] = {"polygon": [[0.0, 0.0], [0.2, 0.0], [0.2, 0.3]]}
    drawn = with_camera(TEXT, "gate", entry)
    added = [line for line in drawn.splitlines() if line not in TEXT.splitlines()]
    assert added == ["      dock:", "        polygon: [[0.0, 0.0], [0.2, 0.0], [0.2, 0.3]]"]


@pytest.mark.parametrize("camera", ["gate", "hall"])
def test_saying_the_same_again_changes_nothing(camera: str) -> None:
    assert with_camera(TEXT, camera, entry_of(parse_site(TEXT, HERE).cameras[camera])) == TEXT


def test_a_camera_is_taken_away() -> None:
    edited = with_camera(TEXT, "gate", None)
    assert list(parse_site(edited, HERE).cameras) == ["hall"]
    assert "the webcam" in edited
    assert with_camera(TEXT, "nobody", None) == TEXT


def test_ids_that_yaml_takes_for_numbers_are_found() -> None:
    text = (
        "cameras:\n  1:\n    source: /dev/video0\n    zones:\n      7: {polygon: [[0, 0], [1, 0], [1, 1]]}   # yard\n"
    )
    entry = entry_of(parse_site(text, HERE).cameras["1"])
    edited = with_camera(text, "1", {**entry, "fps": 2})
    assert edited == f"{text}    fps: 2\n"
    del entry["zones"]["7"]
    assert parse_site(with_camera(text, "1", entry), HERE).cameras["1"].zones == {}
    assert "video0" not in with_camera(text, "1", None)
