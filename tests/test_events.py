"""The bodies that leave: golden files, schemas that are up to date, and names that try to break them."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from service.delivery.schemas import schemas, write_schemas
from service.events import (
    EVENTS,
    MOST_BYTES,
    Event,
    Origin,
    alert_message,
    camera_message,
    cannot_judge_message,
    plain,
    sight_message,
)
from service.ports import CameraState, Condition, Message
from service.safety.alerts import Alert, AlertChange
from service.safety.coverage import CannotJudge
from service.safety.moment import Moment
from service.safety.sight import SightChange
from service.safety.site import Scene, Zone

TESTS = Path(__file__).parent
SCHEMAS = TESTS.parent / "docs" / "schemas"
SQUARE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def moment(seconds: float) -> Moment:
    return Moment(5000 + seconds, 1_772_456_587_120 + round(1000 * seconds))


ORIGIN = Origin(
    Scene(camera="north", zones=(Zone(id="gate", name="Gate 2", polygon=SQUARE),), time_zone="Asia/Seoul"),
    camera_name="North",
    site="Plant 4",
)
ALERT = Alert(
    id="3f0c9a52d17be846",
    camera="north",
    person="17",
    zone="gate",
    equipment="helmet",
    severity="high",
    since=moment(0),
    fired=moment(2.2),
    seen=moment(2.2),
    box=(412.04, 118.0, 506.96, 391.5),
)
FIRED = AlertChange("fired", ALERT, moment(2.2))
RESOLVED = AlertChange("resolved", replace(ALERT, ended=moment(65), ending="worn"), moment(65))
LOST = AlertChange("lost_sight", replace(ALERT, ended=moment(40), ending="lost_sight"), moment(40))
UPDATED = AlertChange("updated", replace(ALERT, seen=moment(50), zone_uncertain=True), moment(50))
OFFLINE = CameraState("offline", moment(0), "STREAM_TIMEOUT", "no picture for 10 s")
BLIND = CannotJudge("north", "helmet", True, 0.7312, 412.04, moment(0))
FROZEN = SightChange("frozen", True, moment(0), moment(10))
BROKEN = CannotJudge("north", "vest", True, 1.0, 0.0, moment(7), "detector_failed", 7.04)

MESSAGES = {
    "alert.fired": alert_message(FIRED, ORIGIN, 1280, 720),
    "alert.updated": alert_message(UPDATED, ORIGIN, 1280, 720),
    "alert.resolved": alert_message(RESOLVED, ORIGIN, 1280, 720),
    "alert.resolved.lost_sight": alert_message(LOST, ORIGIN, 1280, 720),
    "camera.offline": camera_message(OFFLINE, ORIGIN),
    "camera.online": camera_message(CameraState("live", moment(31)), ORIGIN),
    "camera.cannot_judge": cannot_judge_message(BLIND, ORIGIN),
    "camera.cannot_judge.over": cannot_judge_message(replace(BLIND, begins=False, unknown_share=0.31), ORIGIN),
    "camera.cannot_judge.detector_failed": cannot_judge_message(BROKEN, ORIGIN),
    "camera.frozen": sight_message(FROZEN, ORIGIN),
    "camera.frozen.over": sight_message(replace(FROZEN, begins=False, at=moment(42)), ORIGIN),
    "camera.blind": sight_message(replace(FROZEN, trouble="blind"), ORIGIN),
    "camera.moved": sight_message(SightChange("moved", True, moment(0), moment(30)), ORIGIN),
}


def golden(name: str) -> Path:
    return TESTS / "golden" / f"event_{name}.json"


def written(message: Message) -> str:
    kept = {"id": message.id, "type": message.type, "camera": message.camera, "created_ms": message.created_ms}
    return json.dumps({**kept, "payload": json.loads(message.payload)}, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_are_the_golden_ones(name: str) -> None:
    """What a receiver was built for does not change by accident. A wanted change: write `written(...)` to the file."""
    assert written(MESSAGES[name]) == golden(name).read_text(encoding="utf-8")


def test_there_is_a_golden_file_for_every_type_and_no_other() -> None:
    assert {message.type for message in MESSAGES.values()} == set(schemas())
    assert {path.name for path in (TESTS / "golden").glob("event_*.json")} == {golden(name).name for name in MESSAGES}


def test_published_schemas_are_up_to_date(tmp_path: Path) -> None:
    """They are written by service.delivery.schemas.write_schemas."""
    write_schemas(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        path.name: path.read_text(encoding="utf-8") for path in SCHEMAS.glob("*.*.json")
    }


@pytest.mark.parametrize("name", MESSAGES)
def test_bodies_fit_their_schema_and_no_field_is_undescribed(name: str) -> None:
    body = json.loads(MESSAGES[name].payload)
    schema = json.loads(schemas()[body["type"]])
    assert set(body) == set(schema["required"])
    holder = schema["$defs"][schema["properties"]["data"]["$ref"].rpartition("/")[2]]
    assert set(body["data"]) == set(holder["required"]) == set(holder["properties"])
    event: Event = TypeAdapter(Event).validate_json(MESSAGES[name].payload)
    assert event.model_dump_json() == MESSAGES[name].payload


def test_the_documented_examples_are_the_golden_ones() -> None:
    text = (SCHEMAS.parent / "webhooks.md").read_text(encoding="utf-8")
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    assert {event["type"]: event for event in shown} == {kind: body(MESSAGES[kind]) for kind in schemas()}
    assert all(f"| `{kind}` |" in text for kind in schemas())


def test_every_type_has_a_name_of_the_specification() -> None:
    for event in EVENTS:
        kind = str(event.model_fields["type"].default)
        assert set(kind) <= set("abcdefghijklmnopqrstuvwxyz_.")


def test_sentences_say_who_lacks_what_where_since_when() -> None:
    said = {name: body(message)["data"]["summary"] for name, message in MESSAGES.items()}
    assert said == {
        "alert.fired": "Worker without helmet in zone 'Gate 2' on camera 'North' since 22:03:07",
        "alert.updated": "Worker without helmet in zone 'Gate 2' on camera 'North' seen again, since 22:03:07",
        "alert.resolved": "Worker with helmet again in zone 'Gate 2' on camera 'North' after 65 s",
        "alert.resolved.lost_sight": "Worker without helmet in zone 'Gate 2' on camera 'North' "
        "out of sight after 40 s; not seen putting it on",
        "camera.offline": "Camera 'North' gives no pictures since 22:03:07: STREAM_TIMEOUT",
        "camera.online": "Camera 'North' gives pictures since 22:03:38",
        "camera.cannot_judge": "Camera 'North' can't tell whether people wear a helmet "
        "(73% of 412 person-seconds unknown)",
        "camera.cannot_judge.over": "Camera 'North' can tell again whether people wear a helmet "
        "(31% of 412 person-seconds unknown)",
        "camera.cannot_judge.detector_failed": "Camera 'North' can't tell whether people wear a vest "
        "(the detector fails for 7 s)",
        "camera.frozen": "Camera 'North' sends the same picture since 22:03:07",
        "camera.frozen.over": "Camera 'North' sends new pictures again since 22:03:49",
        "camera.blind": "Camera 'North' shows nothing since 22:03:07",
        "camera.moved": "Camera 'North' shows another place than before since 22:03:07",
    }
    over = cannot_judge_message(replace(BROKEN, begins=False, at=moment(65)), ORIGIN)
    assert body(over)["data"]["summary"] == (
        "Camera 'North' can tell again whether people wear a vest (the detector works again)"
    )


def test_conditions_begin_and_end_under_one_name_each() -> None:
    said = {name: message.condition for name, message in MESSAGES.items() if message.condition}
    assert said == {
        "camera.offline": Condition("offline", holds=True),
        "camera.online": Condition("offline", holds=False),
        "camera.cannot_judge": Condition("cannot_judge helmet mostly_unknown", holds=True),
        "camera.cannot_judge.over": Condition("cannot_judge helmet mostly_unknown", holds=False),
        "camera.cannot_judge.detector_failed": Condition("cannot_judge vest detector_failed", holds=True),
        "camera.frozen": Condition("frozen", holds=True),
        "camera.frozen.over": Condition("frozen", holds=False),
        "camera.blind": Condition("blind", holds=True),
        "camera.moved": Condition("moved", holds=True),
    }


def test_a_camera_without_zones_or_names_still_makes_a_sentence() -> None:
    change = replace(FIRED, alert=replace(ALERT, zone="whole-picture"))
    told = body(alert_message(change, Origin(Scene(camera="cam-1")), 640, 480))["data"]
    assert told["summary"] == "Worker without helmet on camera 'cam-1' since 13:03:07"
    assert told["zone"] == {"id": "whole-picture", "name": "whole picture"}


@pytest.mark.parametrize("status", ["connecting", "ended"])
def test_nobody_is_told_of_other_camera_states(status: Any) -> None:
    with pytest.raises(ValueError, match=status):
        camera_message(CameraState(status, moment(0)), ORIGIN)


def test_ids_are_the_same_in_every_replay_and_of_their_own() -> None:
    again = alert_message(FIRED, ORIGIN, 1280, 720)
    assert again == MESSAGES["alert.fired"]
    assert replace(again, id="") == replace(MESSAGES["alert.fired"], id="")
    others = [
        alert_message(replace(FIRED, at=moment(2.201)), ORIGIN, 1280, 720),
        alert_message(replace(FIRED, alert=replace(ALERT, id="0" * 16)), ORIGIN, 1280, 720),
        cannot_judge_message(replace(BLIND, equipment="vest"), ORIGIN),
        cannot_judge_message(replace(BLIND, reason="detector_failed"), ORIGIN),
        camera_message(OFFLINE, replace(ORIGIN, scene=Scene(camera="south"))),
        *MESSAGES.values(),
    ]
    assert len({message.id for message in others}) == len(others)
    assert all(len(message.id) == 36 and "." not in message.id for message in others)


names = st.text(st.characters(exclude_categories=()), max_size=400) | st.sampled_from(
    [
        "\x00",
        "\ud800",
        "\udfff\ud800",
        "\u202eevil",
        "مرحبا",
        "作業者",
        "a" * 100_000,
        "💥" * 30_000,
        '"' * 9999,
        "\\" * 9999,
    ]
)


@given(names, names, names, names, st.floats(0, 1e6))
def test_no_name_breaks_a_body(camera: str, zone: str, site: str, person: str, edge: float) -> None:
    scene = Scene(camera="north", zones=(Zone(id="gate", name=zone, polygon=SQUARE),))
    origin = Origin(scene, camera, site)
    change = replace(LOST, alert=replace(ALERT, person=person, box=(0, 0, edge, math.pi)))
    for message in (
        alert_message(change, origin, 1280, 720),
        camera_message(replace(OFFLINE, detail=person), origin),
        cannot_judge_message(BLIND, origin),
        sight_message(FROZEN, origin),
    ):
        assert len(message.payload.encode()) < MOST_BYTES
        read = json.loads(message.payload)
        assert read["type"] == message.type
        assert not set(read["data"]["summary"]) & set("\x00\n\r\t\u202e\u2066")
        assert message.payload.encode().decode() == message.payload


def test_plain_keeps_other_scripts_and_cuts_what_is_long() -> None:
    assert plain("مرحبا 作業者 é") == "مرحبا 作業者 é"
    assert plain("two\r\nlines\tand\x00\ud800\u202e") == "two lines and\ufffd\ufffd\ufffd"
    assert plain("x" * 201) == "x" * 199 + "…"
    assert plain("x" * 200) == "x" * 200


def body(message: Message) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(message.payload)
    return read
