from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cameras.address import SourceError, parse_address, redacted
from service.cameras.opening import source_fault

CANARY = "c4naryPa55"


@pytest.mark.parametrize(
    ("source", "kind", "url"),
    [
        ("rtsp://10.0.0.5/h264", "rtsp", "rtsp://10.0.0.5/h264"),
        ("RTSPS://Cam.Local:8555/a?channel=1#x", "rtsp", "rtsps://cam.local:8555/a?channel=1"),
        ("http://[fd00::5]:81/video", "http", "http://[fd00::5]:81/video"),
        ("https://cam/video.mjpg", "http", "https://cam/video.mjpg"),
        ("0", "usb", "0"),
        ("/dev/video12", "usb", "12"),
    ],
)
def test_cameras_are_recognised(source: str, kind: str, url: str) -> None:
    address = parse_address(source)
    assert address is not None
    assert (address.kind, address.url) == (kind, url)


def test_a_login_in_the_url_is_taken_out_of_it() -> None:
    address = parse_address(f"rtsp://adm.in:{CANARY}%40%3A%2F@cam:554/live")
    assert address is not None
    assert (address.url, address.user, address.password) == ("rtsp://cam:554/live", "adm.in", f"{CANARY}@:/")
    assert CANARY not in repr(address)


@pytest.mark.parametrize("path", ["clip.mp4", "/srv/films/gate 1.mp4", "pictures/", "C:", "a:b"])
def test_everything_without_a_scheme_is_a_path(path: str) -> None:
    assert parse_address(path) is None


@pytest.mark.parametrize(
    "source",
    [
        "file:///etc/passwd", "FILE:/etc/passwd", "concat:a|b", "subfile:x", "cache:http://x", "async:x", "crypto:x",
        "data:image/png;base64,xx", "pipe:0", "tee:x", "lavfi:x", "fd:3", "ftp://host/x", "gopher://x", "smb://x/y",
        "rtmp://h/x", "udp://239.0.0.1:5", "rtsp:", "rtsp:/x", "rtsp://", "rtsp:///x", "rtsp://h:0/x", "rtsp://h:99999/x",
        "rtsp://h:port/x", "rtsp://[::1/x", "rtsp://h/a b", "rtsp://h/a|b", "rtsp://h\\@evil/x", "", "x\ny", "rtsp://h/\0",
        "rtsp://h/" + "a" * 3000,
    ],
)  # fmt: skip
def test_what_no_camera_is_is_refused(source: str) -> None:
    with pytest.raises(SourceError) as refusal:
        parse_address(source)
    assert refusal.value.code == "SOURCE_REFUSED"


SECRET_URLS = [
    f"rtsp://user:{CANARY}@cam/live",
    f"rtsp://user:{CANARY}@@cam/live",
    f"rtsp://user:a/{CANARY}@cam/live",
    f"rtsp://user:a?{CANARY}@cam/live",
    f"rtsp://user:a#{CANARY}@cam/live",
    f"rtsp://user:[{CANARY}]@cam/live",
    f"rtsp://user:{CANARY}:b@[fd00::1]:554/live",
    f"rtsp://us.er%40x:{CANARY}%@cam",
    f"rtsp://{CANARY}@cam/live",
    f"user:{CANARY}@cam/live",
    f"//user:{CANARY}@cam/live",
    f"http://cam/video.cgi?user=admin&pwd={CANARY}",
    f"http://cam/video.cgi?channel=1;token={CANARY}#t",
    f"http://cam/video.cgi?token=abc/{CANARY}",
    f"http://cam/video.cgi?token=abc?{CANARY}",
    f"http://cam/video.cgi?channel=1&=b/{CANARY}",
    f"rtsp://cam/user=admin&password={CANARY}&channel=1&stream=0.sdp",
    f"rtsp://user:x://{CANARY}@cam/live",
    f"file://user:{CANARY}@x",
    f"user:x://{CANARY}@cam",
    f"rtsp://h:{CANARY}",
    f"rtsp://user:{CANARY}",
    f"rtsp://user:{CANARY} @cam",
]


@pytest.mark.parametrize("url", SECRET_URLS)
def test_neither_redaction_nor_refusal_shows_a_secret(url: str) -> None:
    if "@" in url or "=" in url:
        assert CANARY not in redacted(url)
    try:
        parsed = parse_address(url)
    except SourceError as refusal:
        assert CANARY not in str(refusal) + repr(refusal) + repr(refusal.__context__)
        assert refusal.__cause__ is None
    else:
        assert CANARY not in repr(parsed) or "=" in url


def test_what_helps_stays_readable() -> None:
    assert (
        redacted("rtsp://u:p@10.0.0.5:554/cam?channel=1&subtype=0") == "rtsp://***@10.0.0.5:554/cam?channel=1&subtype=0"
    )
    assert redacted("rtsp://10.0.0.5/h264") == "rtsp://10.0.0.5/h264"
    assert redacted("clip.mp4") == "clip.mp4"


def test_a_parameter_without_a_name_is_hidden_as_a_whole() -> None:
    assert redacted(f"http://cam/video.cgi?{CANARY}&stream=0") == "http://cam/video.cgi?***&stream=0"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("ftp://10.0.0.5/a", "ftp: is no kind of camera"),
        (f"cam.local/video?token={CANARY}", "there is no file or folder cam.local/video?token=***"),
        (f"http://169.254.169.254/latest?token={CANARY}", "no camera has"),
        ("rtsp://[64:ff9b::a9fe:a9fe]/live", "no camera has"),
        ("rtsp://[2002:7f00:1::1]/live", "no camera has"),
        ("rtsp://10.0.0.5/live", ""),
        ("rtsp://camera.example/live", ""),
        ("http://127.0.0.1:8080/video", ""),
        ("/dev/video0", ""),
    ],
)
def test_what_is_wrong_with_a_source_is_known_before_it_is_opened(source: str, words: str) -> None:
    fault = source_fault(source)
    assert (words in fault) if words else fault == ""
    assert CANARY not in fault


printable = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=4, max_size=30)


@given(printable, printable)
def test_a_login_survives_in_the_url_and_is_redacted(user: str, password: str) -> None:
    url = f"rtsp://{quote(user, safe='')}:{quote(password, safe='')}@cam:554/live"
    again = parse_address(url)
    assert again is not None
    assert (again.user, again.password, again.url) == (user, password, "rtsp://cam:554/live")
    assert redacted(url) == "rtsp://***@cam:554/live"


@given(printable)
def test_a_raw_password_is_redacted_whatever_it_holds(password: str) -> None:
    assert redacted(f"rtsp://user:{password}@cam/live") == "rtsp://***@cam/live"
