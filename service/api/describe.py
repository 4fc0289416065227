"""What the OpenAPI document says beyond what the code says by itself: bodies, examples and problems."""

from __future__ import annotations

import json
from importlib import metadata
from typing import Any, Final

from service.api.problems import KINDS, MEDIA_TYPE, Code, ProblemSchema, urn
from service.api.schemas import AnswerSchema

ABOUT: Final = (
    "Says for every person on a picture whether helmet and vest are worn, missing or unknown. Where cameras are "
    "watched (`ppe serve --site`), lists alerts, takes what people say of them, tells how cameras and compliance do. "
    "Clients of Roboflow's inference server and of DeepStack are answered in their own shapes (docs/drop-in.md). "
    "Every answer that is no success is a problem (RFC 9457) with a stable `code`. "
    "An aid, not a safety device: no alert does not mean no violation."
)
TAGS: Final = [
    {"name": name, "description": sentence}
    for name, sentence in (
        ("Detect", "Judge pictures: who on them wears helmet and vest."),
        ("Alerts", "List alerts of the watched cameras, and say what people say of them."),
        ("Evidence", "Give the pictures and clips of alerts."),
        ("Events", "Tell alerts and troubles of cameras as they happen."),
        ("Cameras", "Tell how the cameras do, and change which are watched."),
        ("Statistics", "Tell how much of the time equipment was worn."),
        ("Messages", "Tell what became of webhooks, and send them once more."),
        ("Session", "Sign in at a browser, and out."),
        ("Keys", "Make and revoke API keys, and read who did what."),
        ("Health", "Tell whether the service lives and works, and count what it does."),
    )
]
"""The groups of operations, in the order in which they are shown."""
_REFERENCE: Final = {"$ref": "#/components/schemas/ProblemSchema"}


def version() -> str:
    """Return the installed version of the service."""
    try:
        return metadata.version("ppe-monitor")
    except metadata.PackageNotFoundError:
        return "0+unknown"  # run from a checkout that was not installed


def problems(*codes: Code) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses for problems, one a status, each code with an example."""
    responses: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        status, title = KINDS[code]
        response = responses.setdefault(
            status, {"description": "", "content": {MEDIA_TYPE: {"schema": _REFERENCE, "examples": {}}}}
        )
        response["description"] = "; ".join(filter(None, [response["description"], f"{code}: {title}"]))
        response["content"][MEDIA_TYPE]["examples"][code] = {
            "summary": title,
            "value": {
                "type": urn(code),
                "title": title,
                "status": status,
                "detail": _DETAILS.get(code, f"{title}."),
                "code": code,
                "request_id": _REQUEST_ID,
            },
        }
    return responses


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """Add what the framework can't know: the problem's schema, which no route returns, and the answer's example."""
    schemas = document["components"]["schemas"]
    schemas["ProblemSchema"] = ProblemSchema.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    _name_bodies(document)
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    answer = document["paths"]["/v1/detect"]["post"]["responses"]["200"]["content"]["application/json"]
    answer["examples"] = {"two pictures, one of them bad": {"value": EXAMPLE}}  # given to a route, it loses its nulls
    return document


def _name_bodies(document: dict[str, Any]) -> None:
    """Put the shapes of JSON bodies, which routes give in place, among the others: clients are generated with names."""
    schemas = document["components"]["schemas"]
    for operation in (one for methods in document["paths"].values() for one in methods.values()):
        body = operation.get("requestBody", {"content": {}})["content"].get("application/json")
        if body is None or "$ref" in body["schema"]:
            continue
        shape = json.loads(json.dumps(body["schema"]).replace("#/$defs/", "#/components/schemas/"))
        schemas.update(shape.pop("$defs", {}))
        schemas[shape["title"]] = shape
        body["schema"] = {"$ref": f"#/components/schemas/{shape['title']}"}


_REQUEST_ID: Final = "5f0c2f1e9b7a4d7f8f4f6f1f3b1d2c3a"
_DETAILS: Final[dict[Code, str]] = {
    "IMAGE_DIMENSIONS": (
        "A picture of 1x100000 can't be judged: the shortest side needs 16 pixels and the longest may be 20 times as "
        "long."
    ),
    "IMAGE_UNREADABLE": "The picture is damaged or cut short: send the whole file again.",
    "NO_IMAGE": "Send at least one file in the field image (or images); this one has file.",
    "PARAMETER_INVALID": "confidence: Input should be less than or equal to 1",
    "BODY_INVALID": "until: say a time that is later than now, and by 7 days at most",
    "NOT_WATCHING": "This service watches no cameras: start it as ppe serve --site site.yaml to have alerts.",
    "ALERT_NOT_FOUND": "There is no alert 3f0c9a52d17be846; GET /v1/alerts lists them.",
    "EVIDENCE_PENDING": "The clip ends five seconds after the alert fired and is written then: ask again after "
    "Retry-After.",
    "EVIDENCE_GONE": "The alert is kept, its crop picture is not, or not any more.",
    "NO_CLIP": "There is no clip of this alert: the service ended before it was written.",
    "RANGE_NOT_SATISFIABLE": "There are 812345 bytes; ask for some of them, or for all without Range.",
    "CAMERA_NOT_FOUND": "The site has no camera north; GET /v1/cameras lists them.",
    "NO_PICTURE": "The camera north has no judged picture yet: ask again, or see GET /v1/cameras/north.",
    "NOT_COMPARED": "It could not be worked out: it took longer than 120 s.",
    "SITE_INVALID": "cameras.gate.fps: Input should be less than or equal to 30, got 50",
    "SITE_CHANGED": "The site file is another one than was read: read it again, then change what is there.",
    "SITE_UNWRITABLE": "The site file can't be written (Read-only file system).",
    "MESSAGE_NOT_FOUND": "There is no message msg_c1cc8af6 there; GET /v1/messages lists them.",
    "ENDPOINT_NOT_FOUND": "The site has no endpoint office; GET /v1/endpoints lists them.",
    "KEY_NOT_FOUND": "There is no key 1a2b3c4d; GET /v1/keys lists them.",
    "STORE_UNAVAILABLE": "The store can't be read or written now; the service's log tells why.",
    "UNAUTHENTICATED": "Send an API key that is in force, as Authorization: Bearer KEY or as X-API-Key: KEY.",
    "FORBIDDEN": "This needs a key with the scope operate.",
    "BUSY": "32 requests wait already: send this one again after Retry-After.",
    "LISTENERS_FULL": "32 listen already: try again after Retry-After, or have PPE_EVENT_LISTENERS raised.",
}

EXAMPLE: Final = {
    "images": [
        {
            "index": 0,
            "filename": "gate.jpg",
            "width": 1920,
            "height": 1080,
            "people": [
                {
                    "id": 0,
                    "box": {"x1": 812.4, "y1": 233.1, "x2": 1011.9, "y2": 871.5},
                    "box_inferred": False,
                    "height_px": 212.8,
                    "source_height_px": 638.4,
                    "confidence": 0.9021,
                    "helmet": {
                        "state": "missing",
                        "confidence": 0.8134,
                        "box": {"x1": 871.0, "y1": 236.2, "x2": 948.3, "y2": 330.7},
                        "reason": None,
                    },
                    "vest": {"state": "unknown", "confidence": None, "box": None, "reason": "hidden"},
                    "compliant": False,
                }
            ],
            "detections": [
                {"class": "person", "confidence": 0.9021, "box": {"x1": 812.4, "y1": 233.1, "x2": 1011.9, "y2": 871.5}},
                {
                    "class": "no-helmet",
                    "confidence": 0.8134,
                    "box": {"x1": 871.0, "y1": 236.2, "x2": 948.3, "y2": 330.7},
                },
            ],
            "summary": {
                "people": 1,
                "compliant": 0,
                "not_compliant": 1,
                "undecided": 0,
                "helmet_missing": 1,
                "vest_missing": 0,
            },
        },
        {
            "index": 1,
            "filename": "notes.txt",
            "error": {
                "code": "UNSUPPORTED_IMAGE",
                "title": KINDS["UNSUPPORTED_IMAGE"].title,
                "detail": "Not a picture of a kind that is taken: JPEG, PNG, WebP, BMP or TIFF.",
                "status": 415,
            },
        },
    ],
    "model": {"name": "ppe-yolo11n", "version": "1", "sha256": "9f" * 32},
    "thresholds": {
        "confidence": {"helmet": 0.35, "no-helmet": 0.35, "vest": 0.35, "no-vest": 0.35, "person": 0.35},
        "inferred_confidence": 0.5,
        "minimum_height": {"helmet": 50.0, "vest": 50.0},
    },
    "timings_ms": {"decode": 9.8, "detect": 31.2, "judge": 0.9, "total": 43.5},
    "request_id": _REQUEST_ID,
}

_ELSEWHERE: Final[tuple[Code, ...]] = (
    "NOT_FOUND",
    "BODY_INVALID",
    "NOT_WATCHING",
    "LISTENERS_FULL",
    "ALERT_NOT_FOUND",
    "EVIDENCE_PENDING",
    "EVIDENCE_GONE",
    "NO_CLIP",
    "RANGE_NOT_SATISFIABLE",
    "CAMERA_NOT_FOUND",
    "NO_PICTURE",
    "SITE_INVALID",
    "SITE_CHANGED",
    "SITE_UNWRITABLE",
    "MESSAGE_NOT_FOUND",
    "ENDPOINT_NOT_FOUND",
    "KEY_NOT_FOUND",
    "STORE_UNAVAILABLE",
)
"""What no request for detections ends with."""
GUARDED: Final[tuple[Code, ...]] = ("UNAUTHENTICATED", "FORBIDDEN", "RATE_LIMITED", "HOST_REFUSED")
"""What every request that needs a key may end with."""
WATCHING: Final[tuple[Code, ...]] = (
    *GUARDED,
    "PARAMETER_INVALID",
    "NOT_WATCHING",
    "METHOD_NOT_ALLOWED",
    "STORE_UNAVAILABLE",
    "INTERNAL",
)
"""What every request about what is kept of watched cameras may end with."""

BINARY: Final = {"type": "string", "format": "binary"}
DETECT_BODY: Final[dict[str, Any]] = {
    "required": True,
    "description": (
        "One or many files in the fields `image` and `images`, or one picture as the raw body. The format is told by "
        "the bytes (JPEG, PNG, WebP, BMP, first page of a TIFF), never by a name or a media type."
    ),
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {
                    "image": {**BINARY, "description": "One picture."},
                    "images": {"type": "array", "items": BINARY, "minItems": 1, "description": "Several pictures."},
                },
                "minProperties": 1,  # an anyOf of what is required would say more, and leave generated clients no type
            }
        },
        **{
            kind: {"schema": BINARY}
            for kind in (
                "image/jpeg",
                "image/png",
                "image/webp",
                "image/bmp",
                "image/tiff",
                "application/octet-stream",
            )
        },
    },
}
DETECT_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "model": AnswerSchema,
        "description": "At least one picture was judged. With `Accept: image/jpeg`: the annotated picture.",
        "content": {"image/jpeg": {"schema": BINARY}},
    },
    **problems(*(code for code in KINDS if code not in _ELSEWHERE)),
}
