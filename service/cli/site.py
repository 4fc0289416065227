"""``ppe check``: a site file before it is used."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli.self_test import check_weights
from service.cli.terminal import NOT_ALL_JUDGED, out, refuse, say
from service.cli.watch import site_from

if TYPE_CHECKING:
    from service.sitefile import SiteFile


def check(
    ctx: typer.Context,
    site: Annotated[Path | None, typer.Argument(help="Site file (YAML).", show_default=False)] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of site files instead.")] = False,
    trying: Annotated[
        bool, typer.Option("--try", help="Open every camera and connect to every endpoint once; nothing is sent.")
    ] = False,
    weights: Annotated[
        Path | None,
        typer.Option(help="A manifest.json: say whether these weights see here what they should.", show_default=False),
    ] = None,
) -> None:
    """Check a site file: print what is in effect, secrets hidden, or every mistake with its line."""
    if weights is not None:
        check_weights(ctx, weights)
        if site is None and not schema:
            return
    if schema:
        sys.stdout.write(json.dumps(site_schema(), indent=2, ensure_ascii=False) + "\n")
    elif site is None:
        refuse("give a site file to check, or --schema for what can stand in one")
    else:
        _check(ctx, site, trying)


def _check(ctx: typer.Context, site: Path, trying: bool) -> None:
    import yaml

    from service.cli.findings import faults, later
    from service.sitefile import advice, missing_secrets, placed, site_text

    read, text = site_from(site), site_text(site)
    effective = yaml.safe_dump(
        _effective(read), sort_keys=False, allow_unicode=True, default_flow_style=None, width=120
    )
    out().print(effective, markup=False, soft_wrap=True)
    wrong = placed(text, faults(read))
    for fault in wrong:
        say(f"{site}: {fault}")
    doubtful = placed(text, advice(read))
    for doubt in doubtful:
        say(f"{site}: warning: {doubt}")
    for note in placed(text, later(read)):
        say(f"{site}: note: {note}")
    missing = missing_secrets(read)
    if missing:
        say(f"not set in the environment: {', '.join(missing)} (needed to start)")
    failed = _try(ctx, read) if trying else 0
    if wrong or missing or failed:
        raise typer.Exit(NOT_ALL_JUDGED)
    how = f"can be started, see the warning{'s' * (len(doubtful) > 1)}" if doubtful else "is fine"
    people = f", {len(read.people)} people" if read.people else ""
    say(f"{site} {how}: {len(read.cameras)} cameras, {len(read.endpoints)} endpoints{people}, mode {read.mode}")


def _try(ctx: typer.Context, read: SiteFile) -> int:
    """Try cameras and endpoints, say how it went, and return how many do not work."""
    from service.cli.costs import Costs
    from service.cli.trying import tried
    from service.worker.clock import SystemClock

    clock, failed = SystemClock(), 0
    with Costs(ctx, clock) as costs:
        for one in tried(read, clock, costs.advice):
            say(f"{one.where}: {one.what}")
            if one.advice:
                say(f"{one.where}: {one.advice}")
            failed += not one.works
    return failed


def _effective(read: SiteFile) -> dict[str, Any]:
    """Return what is in effect: defaults filled in, and nothing that may be a secret."""
    from service.cameras.address import redacted
    from service.delivery.endpoint import shown_url

    effective: dict[str, Any] = read.model_dump(mode="json", by_alias=True)
    for name, camera in effective["cameras"].items():
        camera["source"] = redacted(camera["source"])
        camera["policy"] = read.scene(name).policy.model_dump(mode="json")
        camera["zones"] = camera["zones"] or "none: the whole picture requires helmet and vest"
    for endpoint in effective["endpoints"].values():
        endpoint["url"] = shown_url(endpoint["url"])
    return effective


def site_schema() -> dict[str, Any]:
    """Return the JSON schema of site files, the short forms of a camera and a requirement included."""
    from service.safety.equipment import EQUIPMENT
    from service.sitefile import SiteFile

    schema = SiteFile.model_json_schema()
    short: dict[str, dict[str, Any]] = {
        "CameraEntry": {"type": "string", "description": "The camera's source; the rest is as by default."},
        "Requirement": {"enum": list(EQUIPMENT), "description": "The equipment; absence of evidence stays unknown."},
    }
    parts, top = schema["$defs"], schema["properties"]
    for keyed in (top["cameras"], top["endpoints"], top["people"], parts["CameraEntry"]["properties"]["zones"]):
        keyed["additionalProperties"] = False  # else a key that is no id would fit
    for name, form in short.items():
        parts[name] = {"anyOf": [form, parts[name]]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
