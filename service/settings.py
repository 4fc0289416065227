"""What an operator can configure: environment variables that begin with ``PPE_``."""

from __future__ import annotations

import ipaddress
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def shipped(folder: Literal["weights", "datasets"]) -> Path:
    """Return where the project's own weights or dataset cards lie: in the checkout, or in the installed package."""
    package = Path(str(resources.files("service")))
    checkout = package.parent / folder
    return checkout if (package.parent / "pyproject.toml").is_file() else package / f"_{folder}"


class Settings(BaseSettings):
    """Settings of the service. Each field is read from ``PPE_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="PPE_", frozen=True, extra="ignore")

    host: str = Field(default="127.0.0.1", description="Address to listen on. Loopback only, until API keys exist.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")

    weights: Path = Field(
        default_factory=lambda: shipped("weights") / "manifest.json",
        description="The manifest.json of the weights to run.",
    )
    detector: Literal["openvino", "ultralytics"] = Field(
        default="openvino",
        description="openvino runs the .onnx on a CPU or Intel GPU; ultralytics the .pt, on CUDA too (extra: train).",
    )
    device: str = Field(default="", description="Device for the detector; empty means CPU (openvino) or automatic.")
    precision: Literal["auto", "f32", "bf16"] = Field(
        default="auto", description="Arithmetic of the openvino detector; auto takes bf16 where the CPU has it."
    )
    threads: int = Field(default=0, ge=0, le=256, description="CPU threads of the detector; 0 takes all cores.")
    streams: int = Field(default=2, ge=1, le=64, description="Pictures that the detector works on at once.")
    second_look: int = Field(
        default=4,
        ge=0,
        le=100,
        description="People on a picture who are looked at again, closer, when helmet or vest is open; 0 turns it off.",
    )

    tiles: int = Field(
        default=1,
        ge=1,
        le=6,
        description="Tiles along the longer side in which pictures are looked at besides the whole; 1 is off. "
        "A camera's stand in the site file.",
    )

    max_body_bytes: int = Field(default=100 * 2**20, ge=1024, description="Largest request body.")
    max_images: int = Field(default=32, ge=1, le=1000, description="Most pictures in one request.")
    max_image_bytes: int = Field(default=25 * 2**20, ge=1024, description="Largest picture file.")
    max_image_pixels: int = Field(default=50_000_000, ge=1024, le=2**28, description="Most pixels of a picture.")
    max_image_side: int = Field(default=16_384, ge=32, le=65_535, description="Longest side of a picture in pixels.")
    max_image_aspect: float = Field(default=20.0, ge=1, description="Longest side per shortest side of a picture.")

    store: Path = Field(default=Path("ppe-store"), description="Folder for alerts, evidence and recorded detections.")
    evidence_days: float = Field(
        default=30.0,
        gt=0,
        le=36_500,
        description="Days that evidence pictures are kept once their alert ended; those of held alerts stay.",
    )
    evidence_gib: float = Field(
        default=20.0, gt=0, le=2**20, description="Size of all evidence in GiB beyond which the oldest goes."
    )
    evidence_free_gib: float = Field(
        default=1.0,
        ge=0,
        le=2**20,
        description="Free space of the store's disk in GiB below which the oldest evidence goes; 0 never looks.",
    )
    alert_days: float = Field(
        default=400.0,
        gt=0,
        le=36_500,
        description="Days that ended alerts and messages are kept; held alerts and messages that wait stay.",
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe level that is logged."
    )
    log_format: Literal["console", "json"] = Field(default="console", description="How log lines look.")

    @field_validator("host")
    @classmethod
    def _loopback(cls, host: str) -> str:
        if host == "localhost":
            return host
        try:
            if ipaddress.ip_address(host).is_loopback:
                return host
        except ValueError:
            pass
        raise ValueError(
            f"{host!r} is no loopback address; without API keys the service listens on 127.0.0.1, ::1 or localhost only"
        )


def as_markdown() -> str:
    """Return docs/configuration.md: every setting with its variable, default and meaning."""
    lines = [
        "# Configuration",
        "",
        "Environment variables of the service and the commands; `make docs` writes this page. What cameras watch and",
        "who is told stands in the [site file](site.md).",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = (
            "the shipped weights" if name == "weights" else f"`{field.default}`" if field.default != "" else "empty"
        )
        lines.append(f"| `PPE_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"
