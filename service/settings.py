"""What an operator can configure: environment variables that begin with ``PPE_``."""

from __future__ import annotations

import ipaddress
from importlib import resources
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, urlsplit

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

    host: str = Field(
        default="127.0.0.1", description="Address to listen on. Beyond loopback it needs an API key (`ppe key create`)."
    )
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    admin_key_file: Path | None = Field(
        default=None,
        description="A file that holds an API key with every scope, such as a container's secret: one line of 32 "
        "characters or more.",
    )
    allowed_hosts: str = Field(
        default="",
        description="Names, with commas between, by which a service without API keys may be asked besides localhost.",
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses and networks, with commas between, of proxies whose X-Forwarded-For and -Proto are "
        "believed.",
    )
    rate_per_minute: int = Field(
        default=0, ge=0, le=1_000_000, description="Most requests a minute of one API key; 0 is no limit."
    )

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
    body_seconds: float = Field(
        default=30.0,
        ge=1,
        le=3600,
        description="Seconds that the service waits for a request's body; every 16 KiB that came add one.",
    )
    detect_at_once: int = Field(default=16, ge=1, le=1000, description="Requests for detections in work at once.")
    detect_queue: int = Field(
        default=32, ge=0, le=10_000, description="Requests for detections that wait for those; more are told to retry."
    )
    event_listeners: int = Field(
        default=32, ge=0, le=1000, description="Clients that listen to events at once; more are told to retry."
    )
    max_images: int = Field(default=32, ge=1, le=1000, description="Most pictures in one request.")
    max_image_bytes: int = Field(default=25 * 2**20, ge=1024, description="Largest picture file.")
    max_image_pixels: int = Field(default=50_000_000, ge=1024, le=2**28, description="Most pixels of a picture.")
    max_image_side: int = Field(default=16_384, ge=32, le=65_535, description="Longest side of a picture in pixels.")
    max_image_aspect: float = Field(default=20.0, ge=1, description="Longest side per shortest side of a picture.")

    store: Path = Field(default=Path("ppe-store"), description="Folder for alerts, evidence and recorded detections.")
    database: str = Field(
        default="",
        description="PostgreSQL database in place of the SQLite file in that folder, such as "
        "`postgresql://ppe@db.lan/ppe`; evidence stays in the folder (extra: postgres).",
    )
    database_password_file: Path | None = Field(
        default=None, description="A file that holds the database's password, such as a container's secret: one line."
    )
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
    export_frames: bool = Field(
        default=False,
        description="Whether `ppe evidence export` may write pictures of people out of the store, to correct and train "
        "on.",
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe level that is logged."
    )
    log_format: Literal["console", "json"] = Field(default="console", description="How log lines look.")
    log_requests: bool = Field(
        default=True, description="Whether each request has a log line; false turns them off, errors aside."
    )

    @field_validator("host")
    @classmethod
    def _address(cls, host: str) -> str:
        if host != "localhost":
            try:
                ipaddress.ip_address(host)
            except ValueError:
                raise ValueError(f"{host!r} is no address of this machine, such as 127.0.0.1, ::1 or 0.0.0.0") from None
        return host

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, proxies: str) -> str:
        for one in listed(proxies):
            try:
                ipaddress.ip_network(one)
            except ValueError as error:
                raise ValueError(f"{one!r} is no address or network, such as 10.0.0.5 or 10.0.0.0/24") from error
        return proxies

    @field_validator("database")
    @classmethod
    def _postgresql(cls, database: str) -> str:
        if not database:
            return database
        parts = urlsplit(database)
        if parts.scheme not in {"postgresql", "postgresql+psycopg"} or not parts.path.strip("/"):
            raise ValueError("is no address of a PostgreSQL database, such as postgresql://ppe@db.lan/ppe")
        if parts.password is not None or "password" in parse_qs(parts.query):
            raise ValueError("must hold no password: write that to a file, and name it in PPE_DATABASE_PASSWORD_FILE")
        return database

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches the service."""
        return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback


def listed(text: str) -> list[str]:
    """Return what stands between commas."""
    return [word for one in text.split(",") if (word := one.strip())]


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
        default = "empty" if field.default in {"", None} else f"`{field.default}`"
        default = "the shipped weights" if name == "weights" else default
        lines.append(f"| `PPE_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"
