"""Judge pictures with Python's standard library: python detect.py PICTURE...

PPE_URL names the service, http://127.0.0.1:8000 if unset.
"""
# ruff: noqa: S310, T201

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

URL = os.environ.get("PPE_URL", "http://127.0.0.1:8000")


def detect(picture: Path) -> dict:
    """Judge one picture, sent as the raw body."""
    request = urllib.request.Request(
        f"{URL}/v1/detect?require=helmet,vest",
        data=picture.read_bytes(),
        headers={"Content-Type": "application/octet-stream"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)["images"][0]


def said(person: dict, equipment: str) -> str:
    """Say what the picture shows of one equipment, and how sure that is or why it can't be told."""
    finding = person[equipment]
    return f"{equipment} {finding['state']} ({finding['reason'] or finding['confidence']})"


def main() -> int:
    """Print one line a person; return 1 when a picture could not be judged."""
    failed = 0
    for picture in map(Path, sys.argv[1:]):
        try:
            judged = detect(picture)
        except urllib.error.HTTPError as error:
            problem = json.load(error)  # application/problem+json: decide by `code`, show `detail`
            print(f"{picture}: {problem['code']}: {problem['detail']}")
            failed = 1
            continue
        for person in judged["people"]:
            print(f"{picture}: person {person['id']}: {said(person, 'helmet')}, {said(person, 'vest')}")
        print(f"{picture}: {judged['summary']['people']} people, {judged['summary']['not_compliant']} not compliant")
    return failed


if __name__ == "__main__":
    sys.exit(main())
