"""``ppe webhook``: try out what leaves the service: a receiver that verifies and prints, and secrets."""

from __future__ import annotations

import json
import signal
import sys
import threading
from typing import TYPE_CHECKING, Annotated, Final

import typer

from service.cli.terminal import out, refuse, say, shown

if TYPE_CHECKING:
    from service.delivery.receiver import Arrival

webhook = typer.Typer(no_args_is_help=True, help="Receive webhooks for trying them out; make secrets.")

EXAMPLES = """
**Examples**

`export PPE_WEBHOOK_SECRET=$(ppe webhook secret)`

`ppe webhook listen`

`ppe webhook listen --port 9001 --fail 3`

`ppe webhook listen --json --once`

**Exit codes**: 0 stopped by SIGTERM or Ctrl-C, or `--once` and an event arrived; 2 could not start.
"""

STYLES: Final = {"alert.fired": "bold red", "alert.updated": "red", "alert.resolved": "green", "camera.online": "green"}


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    app.add_typer(webhook, name="webhook")


@webhook.command("secret")
def secret_command() -> None:
    """Print a new secret, to be shared by the service and one receiver."""
    from service.delivery.signing import new_secret

    out().print(new_secret(), soft_wrap=True, markup=False)


@webhook.command("listen", epilog=EXAMPLES)
def listen_command(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = 9000,
    secret: Annotated[
        str,
        typer.Option(
            envvar="PPE_WEBHOOK_SECRET",
            show_default=False,
            show_envvar=True,
            help="whsec_...; better in the environment: other users of this machine see options.",
        ),
    ] = "",
    fail: Annotated[int, typer.Option(min=0, help="Answer so many with 500 first, to watch them come again.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print each arrival as one line of JSON.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Leave after the first event that was taken.")] = False,
) -> None:
    """Receive webhooks on this machine: verify each, print one line, mark repetitions."""
    if not secret:
        refuse("no secret: set PPE_WEBHOOK_SECRET to the one of the endpoint ('ppe webhook secret' makes a new one)")
    from service.delivery.receiver import Receiver

    stop = threading.Event()

    def tell(arrival: Arrival) -> None:
        (_print_json if as_json else _print_line)(arrival)
        if once and arrival.status == 200:
            stop.set()

    try:
        receiver = Receiver(secret, port, tell, fail=fail)
    except ValueError as error:
        refuse(str(error))
    except OSError as error:
        refuse(f"port {port} can't be listened on ({error.strerror}); choose another with --port")
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: stop.set())
    running = threading.Thread(target=receiver.run, name="receiver")
    running.start()
    say(f"Listening on http://127.0.0.1:{receiver.port}/ (Ctrl-C stops it)")
    stop.wait()
    receiver.stop()
    running.join()
    receiver.close()


def _print_json(arrival: Arrival) -> None:
    line = {
        "status": arrival.status,
        "id": arrival.id,
        "duplicate": arrival.duplicate,
        "why": arrival.why,
        "event": arrival.event,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _print_line(arrival: Arrival) -> None:
    """Print when, what and, where it is not the usual case, the answer."""
    from rich.text import Text

    event = arrival.event or {}
    kind = shown(str(event.get("type", "not verified" if arrival.status == 401 else "no event")))
    what = event.get("data")
    summary = shown(str(what.get("summary", ""))) if isinstance(what, dict) else ""
    line = Text.assemble(shown(str(event.get("timestamp", "-"))), "  ", (f"{kind:<19}", STYLES.get(kind, "yellow")))
    line.append(f" {summary}" if summary else "")
    if arrival.status != 200:
        line.append(f" [answered {arrival.status}: {shown(arrival.why)}]", "yellow")
    if arrival.duplicate:
        line.append(" [duplicate]", "yellow")
    line.append(f"  {shown(arrival.id)}", "dim")
    out().print(line, soft_wrap=True)
