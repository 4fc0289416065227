"""What an operator writes as a camera's source becomes an address that may be opened, or a clear refusal."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

if TYPE_CHECKING:
    from service.ports import CameraCode

LONGEST: Final = 2048
SCHEMES: Final = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
HARMLESS: Final = frozenset({"camera", "channel", "fps", "profile", "resolution", "stream", "subtype"})
REFUSED: Final = "The host's address is one that no camera has: check the host in the URL."
_DEVICE: Final = re.compile(r"(?:/dev/video)?(\d{1,3})")
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)
_START: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PAIR: Final = re.compile(r"([^=&;/?#]+)(=)[^&;/?#]*")
_PARAMETER: Final = re.compile(r"([^=&;#]+)(=?)[^&;#]*")


class SourceError(Exception):
    """A source that can't be opened and never will be as it stands: a code and a sentence without credentials."""

    def __init__(self, code: CameraCode, detail: str) -> None:
        self.code: CameraCode = code
        self.detail = detail
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class Address:
    """A camera on the network or on this machine.

    Attributes:
        kind: who reads it.
        url: without user and password; the number of the device for usb.
        user: name to log in with; empty for none.
        password: never printed.
    """

    kind: Literal["rtsp", "http", "usb"]
    url: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


def parse_address(source: str) -> Address | None:
    """Read a source as a camera's address.

    Returns:
        the address, or None for what can only be a path on this machine's disk.

    Raises:
        SourceError: a scheme that cameras don't have, or a URL that is wrong.
    """
    if not source or len(source) > LONGEST or any(ord(sign) < 32 or ord(sign) == 127 for sign in source):
        raise SourceError("SOURCE_REFUSED", f"A source has 1 to {LONGEST} characters and none that can't be printed.")
    if device := _DEVICE.fullmatch(source):
        return Address("usb", str(int(device[1])))
    if not (scheme := _SCHEME.match(source)):
        return None
    if scheme[1].lower() not in SCHEMES:
        raise SourceError(
            "SOURCE_REFUSED",
            f"{scheme[1].lower()}: is no kind of camera. Sources are rtsp://, rtsps://, http:// and https:// URLs, "
            "/dev/videoN, a video file or a folder of pictures.",
        )
    return _parse_url(source)


def _parse_url(source: str) -> Address:
    parts = _split(source)
    if not parts or not source[len(parts.scheme) :].startswith("://") or set(source) & set(" \\|"):
        raise SourceError(
            "SOURCE_REFUSED",
            "This is no camera URL: it needs the form scheme://host:port/path. User and password belong into their own "
            "fields, or percent-encoded into the URL.",
        )
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname)
    place = host if parts.port is None else f"{host}:{parts.port}"
    url = urlunsplit((parts.scheme, place, parts.path, parts.query, ""))
    kind: Literal["rtsp", "http"] = "rtsp" if parts.scheme.startswith("rtsp") else "http"
    return Address(kind, url, unquote(parts.username or ""), unquote(parts.password or ""))


def _split(source: str) -> SplitResult | None:
    """Split a URL with a host and a possible port; None is told by the caller, outside of any except clause.

    What the library raises may quote the password, and a raised error would keep it as its context.
    """
    try:
        parts = urlsplit(source)
        return parts if parts.hostname and parts.port != 0 else None
    except ValueError:
        return None


def redacted(url: str) -> str:
    """Return a URL, or what was meant to be one, fit for logs and people.

    Everything up to the last ``@`` goes, for passwords that hold ``@ / ? #`` unencoded; so do all parameters but a few
    that are known to be harmless, for cameras that take their password there.
    """
    mark = _START.match(url)
    start = mark[0] if mark else ""
    _, login, place = url[len(start) :].rpartition("@")
    path, asks, query = place.partition("?")
    shown = _PAIR.sub(_hidden, path) + asks + _PARAMETER.sub(_hidden, query)
    return f"{start}{'***@' if login else ''}{shown}"


def _hidden(parameter: re.Match[str]) -> str:
    if parameter[1].lower() in HARMLESS:
        return parameter[0]
    return f"{parameter[1]}=***" if parameter[2] else "***"
