"""Settings and the detector, opened for a command; what is wrong with them ends it with one sentence."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import typer

from service.cli.terminal import refuse

if TYPE_CHECKING:
    from service.metrics import Metrics
    from service.ports import Detector
    from service.safety.equipment import Equipment
    from service.settings import Settings
    from service.sitefile import SiteFile

OpenDetector: TypeAlias = "Callable[[Settings], Detector]"


def settings_for(**options: Any) -> Settings:
    """Read the settings from the environment; an option of the command line that is not None goes first."""
    from pydantic import ValidationError

    from service.settings import Settings

    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        name = str(fault["loc"][0]).lower()
        where = f"--{name}" if name in given else f"PPE_{name.upper()}"
        refuse(f"{where}: {fault['msg'].removeprefix('Value error, ')}")


def detector_for(ctx: typer.Context, settings: Settings, tiles: int = 1, metrics: Metrics | None = None) -> Detector:
    """Open the detector that the settings ask for; with tiles, one that looks at them besides the whole picture.

    Args:
        metrics: are told what it does.
    """
    from service.detectors.manifest import WeightsError
    from service.detectors.opening import open_detector, tiled

    opening: OpenDetector = ctx.obj or (partial(open_detector, passed=metrics.inferred) if metrics else open_detector)
    try:
        detector = opening(settings)
    except WeightsError as error:
        refuse(str(error))
    if metrics:
        from service.detectors.measured import Measured

        detector = Measured(detector, metrics)
    return tiled(detector, tiles)


def secrets_of(site: SiteFile) -> list[str]:
    """Return what the environment variables hold that a site file names: no log line may hold it."""
    variables = [entry.password_env for entry in site.cameras.values() if entry.password_env]
    variables += [name for entry in site.endpoints.values() for name in entry.secrets_env]
    variables += [site.mqtt.password_env] if site.mqtt and site.mqtt.password_env else []
    found = [os.environ.get(name, "") for name in variables]
    addresses = [url for entry in site.people.values() for url in os.environ.get(entry.url_env, "").split()]
    return found + addresses


def required(text: str) -> tuple[Equipment, ...]:
    """Read what compliant means from ``helmet,vest``.

    Raises:
        typer.BadParameter: it names something else, or nothing.
    """
    from service.safety.equipment import EQUIPMENT

    names = {name.strip().lower() for name in text.split(",")}
    if not names <= set(EQUIPMENT):
        raise typer.BadParameter(f"takes one or more of {', '.join(EQUIPMENT)} with commas between, not {text!r}")
    return tuple(equipment for equipment in EQUIPMENT if equipment in names)
