#!/usr/bin/python3
"""RTSP test camera with faults on demand: serves rtsp://127.0.0.1:PORT/h264, /h265 and /switch.

/switch changes between 640x360 and 1280x720 with each loop. A stream whose clips are not there is not served. Runs with
the interpreter that has python3-gi and gir1.2-gst-rtsp-server-1.0, on Debian the system's. Prints "ready PORT".
SIGUSR1 makes it send no more pictures while it answers on; SIGUSR2 ends that.

    /usr/bin/python3 tests/rtsp/server.py --dir clips --port 8554 [--corrupt 0.1] [--stall-after 90]
        [--user U --password P] [--copies 50] [--log FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import time
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

DELIMITERS = {".h264": b"\0\0\0\1\x09", ".h265": b"\0\0\0\1\x46\x01"}
STREAMS = {"h264": ["a.h264"], "h265": ["a.h265"], "switch": ["a.h264", "b.h264"]}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="RTSP test camera with faults on demand.")
    parser.add_argument("--port", default="8554", help="port; 0 takes a free one (default 8554)")
    parser.add_argument("--address", default="127.0.0.1", help="address to listen on (default: loopback only)")
    parser.add_argument("--dir", type=Path, default=Path(), help="folder with a.h264, b.h264, a.h265")
    parser.add_argument("--fps", type=int, default=15)
    parser.add_argument("--corrupt", type=float, default=0.0, help="fraction of frames to damage, 0 to 1")
    parser.add_argument("--stall-after", type=int, default=0, help="stop sending after this many frames (0: never)")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--copies", type=int, default=0, help="serve /h264-0, /h264-1 ... so many besides")
    parser.add_argument(
        "--log", type=Path, help="write 'SECONDS connected' and 'SECONDS login' lines (monotonic clock)"
    )
    args = parser.parse_args()
    if bool(args.user) != bool(args.password):
        parser.error("--user and --password go together")
    return args


def access_units(path: Path) -> list[bytes]:
    """Cut an Annex-B file with an access unit delimiter before each frame into its frames."""
    delimiter = DELIMITERS[path.suffix]
    units = [delimiter + part for part in path.read_bytes().split(delimiter)[1:]]
    if not units:
        raise SystemExit(f"{path} has no access unit delimiters: make it with clips.py")
    return units


def load_streams(folder: Path) -> dict[str, list[bytes]]:
    present = {name: clips for name, clips in STREAMS.items() if all((folder / clip).is_file() for clip in clips)}
    if not present:
        raise SystemExit(f"{folder} holds no clips: run clips.py --dir {folder} first")
    return {name: [unit for clip in clips for unit in access_units(folder / clip)] for name, clips in present.items()}


class Log:
    """Who came when, a line each; readable while it grows."""

    def __init__(self, path: Path | None) -> None:
        self.file = path.open("w", buffering=1) if path else None

    def tell(self, what: str) -> None:
        if self.file:
            self.file.write(f"{time.monotonic():.3f} {what}\n")


class Voice:
    """Whether pictures are sent; who had one to send while they were not is asked again."""

    def __init__(self) -> None:
        self.silent = False
        self.waiting: list[Any] = []

    def fall_silent(self) -> bool:
        self.silent = True
        return True

    def go_on(self) -> bool:
        self.silent = False
        waiting, self.waiting = self.waiting, []
        for send in waiting:
            send()
        return True


class CameraFactory(GstRtspServer.RTSPMediaFactory):
    """Pushes frames with continuous timestamps, so that the loop can't be seen."""

    def __init__(self, name: str, frames: list[bytes], args: argparse.Namespace, voice: Voice) -> None:
        super().__init__()
        self.frames, self.args, self.voice, self.random = frames, args, voice, random.Random(1)
        codec = "h265" if name == "h265" else "h264"
        self.set_launch(
            f"( appsrc name=src is-live=true format=time block=true max-bytes=400000 "
            f"caps=video/x-{codec},stream-format=byte-stream,alignment=au,framerate={args.fps}/1 "
            f"! {codec}parse config-interval=-1 ! rtp{codec}pay name=pay0 pt=96 config-interval=-1 )"
        )
        self.set_shared(True)
        self.set_latency(0)

    def do_configure(self, media: Any) -> None:
        sent = 0

        def need_data(source: Any, length: int) -> None:
            nonlocal sent
            if self.voice.silent:
                self.voice.waiting.append(lambda: need_data(source, length))
                return
            number, sent = sent, sent + 1
            if self.args.stall_after and number >= self.args.stall_after:
                return
            buffer = Gst.Buffer.new_wrapped(self.unit(number))
            buffer.duration = Gst.SECOND // self.args.fps
            buffer.pts = buffer.dts = number * buffer.duration
            source.emit("push-buffer", buffer)

        media.get_element().get_child_by_name("src").connect("need-data", need_data)

    def unit(self, number: int) -> bytes:
        """Return the frame to send, damaged where that is asked for: the same frames in each run."""
        unit = bytearray(self.frames[number % len(self.frames)])
        if self.args.corrupt and self.random.random() < self.args.corrupt:
            for _ in range(20):
                unit[self.random.randrange(min(8, len(unit) - 1), len(unit))] ^= 0xFF
        return bytes(unit)


class Auth(GstRtspServer.RTSPAuth):
    """Tells of each request that carries a login, right or wrong."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self.log = log

    def do_authenticate(self, context: Any) -> bool:
        status, _ = context.request.get_header(GstRtsp.RTSPHeaderField.AUTHORIZATION, 0)
        if status == GstRtsp.RTSPResult.OK:
            self.log.tell("login")
        return bool(GstRtspServer.RTSPAuth.do_authenticate(self, context))


def make_auth(user: str, password: str, log: Log) -> Any:
    auth = Auth(log)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    return auth


def mount(server: Any, streams: dict[str, list[bytes]], args: argparse.Namespace, voice: Voice) -> None:
    copies = {f"h264-{number}": streams["h264"] for number in range(args.copies)}
    for name, frames in (streams | copies).items():
        factory = CameraFactory(name, frames, args, voice)
        if args.user:
            permissions = GstRtspServer.RTSPPermissions()
            for right in ("access", "construct"):
                permissions.add_permission_for_role("user", f"media.factory.{right}", True)
            factory.set_permissions(permissions)
        server.get_mount_points().add_factory(f"/{name}", factory)


def main() -> None:
    args = parse_args()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address(args.address)
    server.set_service(args.port)
    log, voice = Log(args.log), Voice()
    server.connect("client-connected", lambda _server, _client: log.tell("connected"))
    if args.user:
        server.set_auth(make_auth(args.user, args.password, log))
    mount(server, load_streams(args.dir), args, voice)
    GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGUSR1, voice.fall_silent)
    GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGUSR2, voice.go_on)
    if not server.attach(None):
        raise SystemExit(f"cannot listen on {args.address}:{args.port}")
    print("ready", server.get_bound_port(), flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        GLib.MainLoop().run()


if __name__ == "__main__":
    main()
