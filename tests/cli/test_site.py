"""`ppe check` and `ppe replay`: a site file before it is used, what it would have done, and what docs/site.md says."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.cli.site import site_schema
from service.safety.sight import SightPolicy
from service.safety.site import AlertPolicy, Requirement, Shift
from service.sitefile import CameraEntry, EndpointEntry, SiteFile, ZoneEntry
from tests.cli.workers import run
from tests.conftest import ROOT
from tests.pictures.films import film

DOCS = ROOT / "docs"
PAGE = (DOCS / "site.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
SECRET = "whsec_" + base64.b64encode(b"geheim" * 5).decode()
OLD = "whsec_" + base64.b64encode(b"geheim" * 6).decode()
SECRETS = {
    "GATE_PASSWORD": "geheim42",
    "SAFETY_WEBHOOK_SECRET": SECRET,
    "SAFETY_WEBHOOK_SECRET_OLD": OLD,
    "GUARD_WEBHOOK_SECRET": SECRET,
    "SITE_CHAT": "slack://geheim1AAAA/geheim2BBBB/geheim3CCCCCCCCCCCCCCCCCC/site",
    "MANAGER_MAIL": "mailtos://ann:geheim43@example.org?to=manager@example.org",
    "MQTT_PASSWORD": "geheim44",
}


def written(folder: Path, text: str) -> Path:
    path = folder / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("example", EXAMPLES, ids=["least", "everything"])
def test_the_documented_examples_are_fine(tmp_path: Path, example: str) -> None:
    result = run("check", written(tmp_path, example), **SECRETS)
    assert result.exit_code == 0, result.stderr
    assert "is fine" in result.stderr
    assert yaml.safe_load(result.stdout)["cameras"]
    assert not re.search(f"geheim|{SECRET}|{OLD}", result.output)


def test_the_full_example_names_every_key() -> None:
    everything = yaml.safe_load(EXAMPLES[1])
    keys = set(_keys(everything))
    for part in (SiteFile, CameraEntry, ZoneEntry, EndpointEntry, AlertPolicy, SightPolicy, Requirement, Shift):
        for name, field in part.model_fields.items():
            assert (field.alias or name) in keys, f"{part.__name__}.{name} is not in the example of docs/site.md"


def test_the_documented_defaults_are_the_defaults() -> None:
    everything = SiteFile.model_validate({"cameras": {"gate": "a.mp4"}})
    example = yaml.safe_load(EXAMPLES[1])
    assert AlertPolicy.model_validate(example["policy"]) == AlertPolicy() == everything.policy
    assert example["mode"] == everything.mode
    assert example["cameras"]["gate"]["fps"] == everything.cameras["gate"].fps
    assert example["endpoints"]["safety-office"]["lan"] is False


def test_the_published_schema_is_up_to_date() -> None:
    """Written by: ppe check --schema > docs/schemas/site.json"""
    result = run("check", "--schema")
    assert result.exit_code == 0
    assert (DOCS / "schemas" / "site.json").read_text(encoding="utf-8") == result.stdout


def test_the_schema_knows_the_short_forms_and_refuses_strange_keys() -> None:
    schema = site_schema()
    assert [form.get("type") or form["enum"] for form in schema["$defs"]["CameraEntry"]["anyOf"]] == [
        "string",
        "object",
    ]
    assert schema["$defs"]["Requirement"]["anyOf"][0]["enum"] == ["helmet", "vest"]
    assert schema["properties"]["cameras"]["additionalProperties"] is False
    assert all("from" in part["properties"] for name, part in schema["$defs"].items() if name == "Shift")


def test_what_is_in_effect_is_printed_without_secrets(tmp_path: Path) -> None:
    site = written(
        tmp_path,
        "policy: {on_delay: 4}\n"
        "cameras:\n"
        "  gate: {source: 'http://10.0.0.5/video?channel=2&pwd=geheim1', user: viewer, password_env: GATE_PASSWORD}\n"
        "endpoints:\n"
        "  here: {url: 'https://ann:geheim2@example.org:8443/geheim3?token=geheim4', secret_env: HOOK}\n",
    )
    result = run("check", site, GATE_PASSWORD="geheim5", HOOK=SECRET)
    assert result.exit_code == 0
    assert not re.search(f"geheim|{SECRET}|{OLD}", result.output)
    effective = yaml.safe_load(result.stdout)
    gate = effective["cameras"]["gate"]
    assert gate["source"] == "http://10.0.0.5/video?channel=2&pwd=***"
    assert gate["policy"]["on_delay"] == 4
    assert gate["fps"] == 5
    assert gate["zones"] == "none: the whole picture requires helmet and vest"
    assert effective["endpoints"]["here"]["url"] == "https://example.org:8443/***"


def test_every_mistake_is_printed_with_its_line(tmp_path: Path) -> None:
    site = written(
        tmp_path,
        "cameras:\n  gate:\n    source: rtsp://ann:geheim@10.0.0.5/a\n    fps: fast\n    sauce: x\ntime_zone: Mars\n",
    )
    result = run("check", site)
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert [re.search(r"line (\d+)", line)[1] for line in lines[:-1]] == ["3", "4", "5", "6"]  # type: ignore[index]
    assert lines[-1] == f"ppe: {site} has 4 mistakes; nothing was started"
    assert "geheim" not in result.output
    assert "Traceback" not in result.output


def test_what_is_missing_to_start_is_told(tmp_path: Path) -> None:
    site = written(tmp_path, "cameras:\n  gate: {source: ftp://10.0.0.5/a, password_env: NOT_SET}\n  roof: none.mp4\n")
    result = run("check", site)
    assert result.exit_code == 1
    assert "cameras.gate.source: ftp: is no kind of camera" in result.stderr
    assert "cameras.roof.source: there is no file or folder none.mp4" in result.stderr
    assert "not set in the environment: NOT_SET" in result.stderr
    assert "fps: 5.0" in result.stdout


def test_check_wants_a_file() -> None:
    result = run("check")
    assert (result.exit_code, result.stderr) == (
        2,
        "ppe: give a site file to check, or --schema for what can stand in one\n",
    )


def test_what_was_ignored_can_not_be_judged_again(tmp_path: Path, recording: Path) -> None:
    hidden = tmp_path / "hidden.yaml"
    hidden.write_text(
        "cameras: {yard: {source: rtsp://10.0.0.5/a, fps: 2, zones: "
        "{road: {polygon: [[0, 0], [1, 0], [1, 0.2]], ignore: true}, "
        "all: {polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]}}}}\n"
    )
    before = _like_before(tmp_path)
    result = run("replay", recording, "--site", hidden, "--compare", before)
    assert "note: road was ignored, so black, when this was recorded" in result.stderr
    assert "note: fps differs too" in result.stderr
    assert "note: 1 newly ignored zone: " in run("replay", recording, "--site", before, "--compare", hidden).stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--compare", "x.yaml"), "--camera: name the camera"),
        (("x.jsonl", "--store", "s"), "give a recording, or --store or --service, not both"),
        (("--camera", "gate", "--store", "nowhere"), "there is no store in nowhere"),
        (("--camera", "gate", "--service", "http://127.0.0.1:9"), "no service answers at http://127.0.0.1:9"),
    ],
)
def test_where_a_recording_comes_from_is_said(arguments: tuple[str, ...], words: str) -> None:
    result = run("replay", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    yard = film(tmp_path / "yard.mp4", pictures=60, rate=10)
    assert run("watch", "--source", yard, "--record", tmp_path / "yard.jsonl").exit_code == 0
    return tmp_path / "yard.jsonl"


def test_a_changed_rule_is_compared_before_it_is_used(tmp_path: Path, recording: Path) -> None:
    patient = written(tmp_path, "cameras: {yard: rtsp://10.0.0.5/live}\npolicy: {on_delay: 60}\n")
    result = run("replay", recording, "--compare", patient)
    assert re.search(r"^- .* vest +whole-picture +0:0", result.stdout, re.MULTILINE)
    assert f"0 alerts fired by both (=), 1 only by no site file (-), 0 only by {patient} (+)" in result.stdout
    assert re.search(r"^vest coverage +97% +97%", result.stdout, re.MULTILINE)
    both = ("replay", recording, "--site", patient, "--compare", _like_before(tmp_path))
    added = run(*both)
    assert re.search(r"^\+ .* vest ", added.stdout, re.MULTILINE)
    told = json.loads(run(*both, "--json").stdout)
    assert (told["camera"], told["frames"], told["both"], told["only_before"]) == ("yard", 30, [], [])
    assert [(alert["equipment"], alert["zone"]) for alert in told["only_after"]] == [("vest", "whole-picture")]
    same = run("replay", recording, "--compare", _like_before(tmp_path))
    assert re.search(r"^= .* vest ", same.stdout, re.MULTILINE)
    assert "1 alerts fired by both (=), 0 only by" in same.stdout


def test_the_recordings_own_camera_is_taken_from_a_site_of_many(tmp_path: Path, recording: Path) -> None:
    many = written(tmp_path, "cameras: {gate: rtsp://10.0.0.5/a, yard: rtsp://10.0.0.5/b}\n")
    assert "vest missing" in run("replay", recording, "--site", many).stdout
    other = written(tmp_path, "cameras: {gate: rtsp://10.0.0.5/a, roof: rtsp://10.0.0.5/b}\n")
    result = run("replay", recording, "--site", other)
    assert (result.exit_code, result.stderr) == (2, "ppe: --camera: name one of gate, roof\n")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda lines: [], "not a recording of detections"),
        (lambda lines: [lines[0], *reversed(lines[1:])], "damaged frame: at 5.6 s, not after the one before it"),
        (lambda lines: [*lines[:3], "{}"], ":4: damaged frame"),
    ],
)
def test_a_damaged_recording_is_one_sentence(recording: Path, spoil: Any, words: str) -> None:
    lines = recording.read_text().splitlines()
    recording.write_text("\n".join(spoil(lines)) + "\n")
    result = run("replay", recording)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.output


def _like_before(folder: Path) -> Path:
    path = folder / "before.yaml"
    path.write_text("cameras: {yard: rtsp://10.0.0.5/live}\n", encoding="utf-8")
    return path


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner)
