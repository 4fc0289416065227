"""Run as a program: train in a process that dies at the first look at the network, and, if asked, at a chosen moment.

    python -m tests.lab.offline DATA BASE OUT EPOCHS [NAME]

Where OUT is a run that was interrupted, it goes on with that. With NAME the process is killed at the first file that it
opens once a file of that name stands in its place.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

NETWORK = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.sendto"})
LOOKED = 66


def watch(name: str | None) -> None:
    """Let the process die at the first look at the network, and after a file was renamed to `name`."""
    seen: list[str] = []

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        far = event == "socket.connect" and isinstance(arguments[1], tuple)
        if far or event in NETWORK:
            sys.stderr.write(f"looked at the network: {event} {arguments}\n")
            os._exit(LOOKED)
        if name and event == "os.rename" and str(arguments[1]).endswith(name):
            seen.append(name)
        elif seen and event == "open":
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def main(data: str, base: str, out: str, epochs: str, name: str | None = None) -> None:
    watch(name)
    from service.lab.train import resume, train

    if Path(out).exists():
        resume(Path(out))
    else:
        options: dict[str, Any] = {"imgsz": 64, "batch": 4, "precision": "fp32", "rare_share": 0.6}
        train(Path(data), Path(base), Path(out), epochs=int(epochs), **options)


if __name__ == "__main__":
    main(*sys.argv[1:])
