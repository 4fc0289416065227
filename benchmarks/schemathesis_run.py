"""Does the service keep to its own OpenAPI document, whatever it is sent? Schemathesis attacks it, with all its checks.

    python -m benchmarks.schemathesis_run [--seeds 1 2 3] [--examples 100] [--out FILE]

Each seed gets a service of its own: with an API key, a film that was watched, an alert of it with evidence, and an
endpoint that is away. Every route of the document is asked, with a key of every scope and without. What the schema
can't say is in schemathesis.toml. Prints JSON, and what schemathesis says of a failure; exits with 1 when there is one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.exposed import ROOT, Exposed, exposed
from benchmarks.figures import tell


def known(service: Exposed) -> dict[str, str]:
    """Return ids of what there is, by the names of path parameters."""
    with service.client() as client:
        alert = client.get("/v1/alerts").json()["alerts"][0]["id"]
        message = client.get("/v1/messages").json()["messages"][0]["id"]
        key = client.post("/v1/keys", json={"name": "gate camera", "scopes": ["detect"]}).json()["id"]
        someone = {"name": "shift leader", "role": "viewer", "password": "correct horse battery"}
        user = client.post("/v1/users", json=someone).json()["id"]
    return {
        "alert": alert,
        "message": message,
        "key": key,
        "user": user,
        "camera": "north",
        "endpoint": "safety-office",
    }


def attack(service: Exposed, seed: int, examples: int) -> tuple[dict[str, Any], str]:
    """Run schemathesis once; return its figures and what it said."""
    environment = {
        "PPE_SCHEMATHESIS_KNOWN": json.dumps(known(service)),
        "SCHEMATHESIS_HOOKS": "benchmarks.schemathesis_hooks",
        "PYTHONPATH": str(ROOT),
    }
    options = ["--checks=all", f"--max-examples={examples}", f"--seed={seed}", "--continue-on-failure", "--no-color"]
    options += ["--no-shrink", "--request-timeout=60", "--warnings=off", "--output-sanitize=true"]
    login = f"Authorization: {service.login['Authorization']}"
    config = ROOT / "benchmarks" / "schemathesis.toml"
    started = time.monotonic()
    st = str(Path(sys.executable).with_name("st"))
    with tempfile.TemporaryDirectory() as folder:
        ran = subprocess.run(
            [st, f"--config-file={config}", "run", *options, "-H", login, f"{service.url}/openapi.json"],
            cwd=folder,  # it leaves a cache where it runs
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
    figures = {
        "seed": seed,
        "operations": _number(r"Tested: (\d+)", ran.stdout),
        "cases": _number(r"(\d+) generated", ran.stdout),
        "failures": _number(r"(\d+) unique failure", ran.stdout),
        "server_errors_logged": service.log.read_text(encoding="utf-8").count("request failed"),
        "exit_code": ran.returncode,
        "seconds": round(time.monotonic() - started, 1),
    }
    return figures, ran.stdout + ran.stderr


def _number(pattern: str, said: str) -> int:
    found = re.search(pattern, said)
    return int(found[1]) if found else 0


def measure(seeds: list[int], examples: int) -> dict[str, Any]:
    """Attack a service for each seed."""
    runs = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder, exposed(Path(folder)) as service:
            figures, said = attack(service, seed, examples)
        runs.append(figures)
        if figures["exit_code"]:
            print(said, file=sys.stderr)
    return {
        "examples": examples,
        "cases": sum(run["cases"] for run in runs),
        "failures": sum(run["failures"] for run in runs),
        "sound": all(run["exit_code"] == 0 and not run["server_errors_logged"] for run in runs),
        "runs": runs,
    }


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--examples", type=int, default=100, help="most cases of a kind and operation")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found = measure(options.seeds, options.examples)
    tell(found, options.out)
    return 0 if found["sound"] else 1


if __name__ == "__main__":
    sys.exit(main())
