"""What a broker is told, without one."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from service.delivery.topics import Publication, Told, Topics
from service.events import Origin, alert_message, camera_message
from service.health import CameraReport
from service.ports import CameraState, Message
from service.safety.moment import Moment
from service.safety.site import Scene
from tests.store.made import START_MS, alert, continued, ended, fired

ORIGIN = Origin(Scene(camera="gate"), "North gate", "Plant 4")
TOPICS = Topics("site/ppe", "homeassistant")
GATE = Told("gate", "North gate", ("helmet", "vest"))
REPORT = CameraReport("gate", CameraState("live", Moment(0, START_MS)), 0.1, 5.0, 2, ())

# what Home Assistant's MQTT integration takes; all else in a configuration is refused or ignored there
SHARED = {"name", "unique_id", "device", "origin", "availability_topic", "payload_available", "payload_not_available"}
SHARED |= {"entity_category", "json_attributes_topic"}
KINDS = {
    "binary_sensor": SHARED | {"qos", "device_class", "state_topic", "value_template", "payload_on", "payload_off"},
    "image": SHARED | {"image_topic", "content_type"},
}


def published(change: object) -> dict[str, object]:
    one = TOPICS.news(alert_message(change, ORIGIN, 640, 360))  # type: ignore[arg-type]
    assert (one.topic, one.retain) == ("site/ppe/events", False)
    found: dict[str, object] = json.loads(one.payload)
    assert found.keys() == {"type", "before", "after"}
    return found


def test_alerts_are_told_as_frigate_tells_its_events() -> None:
    new, update, end = published(fired(alert(1))), published(continued(alert(1))), published(ended(alert(1)))
    assert [one["type"] for one in (new, update, end)] == ["new", "update", "end"]
    after = new["after"]
    assert isinstance(after, dict)
    assert (after["id"], after["camera"], after["label"], after["sub_label"]) == (
        alert(1).id,
        "gate",
        "person",
        "no-helmet",
    )
    assert after["start_time"] == pytest.approx((START_MS - 1250) / 1000)
    assert (after["end_time"], after["active"], after["current_zones"]) == (None, True, ["yard"])
    assert new["before"] == new["after"]
    ending = end["after"]
    assert isinstance(ending, dict) and isinstance(end["before"], dict) and isinstance(update["before"], dict)
    assert (ending["ending"], ending["active"], ending["end_time"]) == ("worn", False, START_MS / 1000 + 11)
    assert (end["before"]["end_time"], end["before"]["active"]) == (None, True)
    assert (update["before"]["ending"], update["before"]["active"]) == ("lost_sight", False)


def test_a_cameras_own_troubles_are_told_as_webhooks_carry_them() -> None:
    message = camera_message(CameraState("offline", Moment(0, START_MS)), ORIGIN)
    assert TOPICS.news(message) == Publication("site/ppe/camera/gate/events", message.payload, retain=False)


@pytest.mark.parametrize("payload", ["{}", "none", "[]"])
def test_what_was_erased_is_told_to_nobody(payload: str) -> None:
    with pytest.raises(ValueError, match="nothing that could be published"):
        TOPICS.news(Message("a", "alert.fired", "gate", 0, payload))


def test_a_camera_s_state() -> None:
    blind = replace(REPORT, state=CameraState("blind", Moment(0, START_MS)), blind=(("vest", "mostly_unknown"),))
    one = TOPICS.state(blind)
    assert (one.topic, one.retain) == ("site/ppe/camera/gate/state", True)
    assert json.loads(one.payload) == {
        "state": "blind",
        "since": START_MS / 1000,
        "code": None,
        "cannot_judge": [{"equipment": "vest", "reason": "mostly_unknown"}],
    }
    assert TOPICS.lacking("gate", "vest", open=True) == Publication("site/ppe/camera/gate/vest", "ON")
    assert not TOPICS.image("gate", b"").retain


def test_home_assistant_is_told_what_it_wants_to_know() -> None:
    found = TOPICS.discoveries(GATE)
    assert [one.topic for one in found] == [
        "homeassistant/binary_sensor/site_ppe_gate/helmet/config",
        "homeassistant/binary_sensor/site_ppe_gate/vest/config",
        "homeassistant/binary_sensor/site_ppe_gate/problem/config",
        "homeassistant/image/site_ppe_gate/image/config",
    ]
    ids = set()
    for one in found:
        assert one.retain
        assert re.fullmatch(r"homeassistant/\w+/[a-zA-Z0-9_-]+/[a-zA-Z0-9_-]+/config", one.topic)
        config = json.loads(one.payload)
        kind = one.topic.split("/")[1]
        assert config.keys() <= KINDS[kind]
        assert config["availability_topic"] == "site/ppe/available"
        assert config["device"]["identifiers"] == ["site_ppe_gate"]
        assert config["origin"]["name"]
        ids.add(config["unique_id"])
        if kind == "binary_sensor":
            assert config["device_class"] in {"safety", "problem"}
            assert config["state_topic"].startswith("site/ppe/camera/gate/")
        else:
            assert (config["image_topic"], config["content_type"]) == ("site/ppe/camera/gate/image", "image/jpeg")
    assert len(ids) == len(found)


@pytest.mark.parametrize(("state", "well"), [("live", "OFF"), ("ended", "OFF"), ("blind", "ON"), ("offline", "ON")])
def test_the_problem_sensor_is_on_when_a_camera_does_not_see(state: str, well: str) -> None:
    jinja2 = pytest.importorskip("jinja2", reason="needs jinja2, which is not installed")
    template = json.loads(TOPICS.discoveries(GATE)[2].payload)["value_template"]
    known = json.loads(TOPICS.state(replace(REPORT, state=CameraState(state, Moment(0, 0)))).payload)  # type: ignore[arg-type]
    assert jinja2.Template(template).render(value_json=known) == well
    doubtful = {**known, "cannot_judge": [1]}
    assert jinja2.Template(template).render(value_json=doubtful) == "ON"


def test_without_home_assistant_it_is_told_nothing() -> None:
    assert Topics("ppe").discoveries(GATE) == []
    assert Topics("ppe").births is None
    assert TOPICS.births == "homeassistant/status"
