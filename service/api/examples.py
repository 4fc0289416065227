"""Examples of what is watched, for the OpenAPI document; docs/api.md shows the same ones."""

from __future__ import annotations

from typing import Any, Final

ALERT: Final[dict[str, Any]] = {
    "id": "3f0c9a52d17be846",
    "camera": {"id": "north", "name": "North"},
    "zone": {"id": "gate", "name": "Gate 2"},
    "person": "17",
    "equipment": "helmet",
    "severity": "high",
    "status": "ended",
    "since": "2026-03-02T13:03:07.120Z",
    "fired_at": "2026-03-02T13:03:09.320Z",
    "seen_at": "2026-03-02T13:04:07.120Z",
    "ended_at": "2026-03-02T13:04:12.120Z",
    "ending": "worn",
    "duration_s": 65.0,
    "box": {"x1": 412.0, "y1": 118.0, "x2": 507.0, "y2": 391.5},
    "zone_uncertain": False,
    "by_absence": False,
    "acknowledged": {"at": "2026-03-02T13:03:40.000Z", "by": "Kim", "note": "Sent back for a helmet.", "until": None},
    "snoozed": None,
    "false_alarm": None,
    "evidence": {
        "annotated": "/v1/alerts/3f0c9a52d17be846/evidence/annotated",
        "clean": "/v1/alerts/3f0c9a52d17be846/evidence/clean",
        "crop": "/v1/alerts/3f0c9a52d17be846/evidence/crop",
        "clip": "/v1/alerts/3f0c9a52d17be846/evidence/clip",
    },
}
PAGE: Final = {"alerts": [ALERT], "next_cursor": "MSAxNzcyNDU2NTg5MzIwIDNmMGM5YTUyZDE3YmU4NDY"}
HISTORY: Final = {
    **ALERT,
    "changes": [
        {"kind": "fired", "at": "2026-03-02T13:03:09.320Z", "by": None, "note": None, "until": None},
        {
            "kind": "acknowledged",
            "at": "2026-03-02T13:03:40.000Z",
            "by": "Kim",
            "note": "Sent back for a helmet.",
            "until": None,
        },
        {"kind": "resolved", "at": "2026-03-02T13:04:12.120Z", "by": None, "note": None, "until": None},
    ],
}
ENTRY: Final[dict[str, Any]] = {
    "version": "9f2c41d0a7b83e56",
    "entry": {
        "name": "North",
        "source": "rtsp://192.168.1.20:554/stream1",
        "user": "viewer",
        "password_env": "NORTH_PASSWORD",
        "zones": {"gate": {"polygon": [[0.0, 0.4], [0.7, 0.4], [0.7, 1.0], [0.0, 1.0]], "require": ["helmet", "vest"]}},
    },
}
CHANGED: Final[dict[str, Any]] = {
    "version": "9f2c41d0a7b83e56",
    "added": [],
    "changed": ["north"],
    "removed": [],
    "at_next_start": [],
}
CAMERA: Final = {
    "id": "north",
    "name": "North",
    "status": "live",
    "since": "2026-03-02T11:58:03.411Z",
    "code": None,
    "detail": "",
    "frame_age_s": 0.2,
    "frames_per_second": 5.0,
    "reduced_to": None,
    "people": 3,
    "unverified": 0,
    "can_judge": False,
    "cannot_judge": [{"equipment": "vest", "reason": "mostly_unknown"}],
}
STATS: Final = {
    "since": "2026-03-02T13:00:00.000Z",
    "until": "2026-03-02T14:00:00.000Z",
    "total": {"worn_s": 5126.4, "missing_s": 214.8, "unknown_s": 922.0, "compliance": 0.9598, "coverage": 0.8528},
    "groups": [
        {
            "worn_s": 5126.4,
            "missing_s": 214.8,
            "unknown_s": 922.0,
            "compliance": 0.9598,
            "coverage": 0.8528,
            "camera": "north",
            "zone": None,
            "equipment": "helmet",
            "hour": "2026-03-02T13:00:00.000Z",
        }
    ],
}
STATS_CSV: Final = (
    "camera,zone,equipment,hour,worn_s,missing_s,unknown_s,compliance,coverage\r\n"
    "north,,helmet,2026-03-02T13:00:00.000Z,5126.4,214.8,922.0,0.9598,0.8528\r\n"
)


def answer(example: object) -> dict[str, Any]:
    """Return the OpenAPI response of a route that answers JSON such as the example."""
    return {"content": {"application/json": {"example": example}}}
