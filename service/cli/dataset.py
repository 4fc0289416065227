"""Commands about datasets: list their cards, check and mend an export. Merging and judging stand beside it."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.opening import detector_for, settings_for
from service.cli.terminal import REFUSED, err, out, refuse, say

if TYPE_CHECKING:
    from service.lab.checking.check import Checked
    from service.lab.dataset.prepare import Source

Sources = Annotated[
    list[str],
    typer.Option(
        "--source", metavar="CARD=FOLDER", help="An export and the card that explains its labels; may be repeated."
    ),
]
EXTRAS = {"train": ("ultralytics", "torch", "onnx"), "lab": ("jinja2", "matplotlib")}
"""What is installed only with an extra of the package."""
FAULTS = 1
"""Exit code of a check that found faults."""
dataset = typer.Typer(no_args_is_help=True, help="Datasets to train on and to judge by.")


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    from service.cli import prepare, truth  # which take what stands below

    prepare.register(dataset)
    truth.register(dataset)
    app.add_typer(dataset, name="dataset")


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn what a user can mend into one sentence on stderr and exit code 2."""
    from service.detectors.manifest import WeightsError
    from service.lab.dataset.faults import DatasetError
    from service.lab.export import ExportError
    from service.lab.train import TrainingError

    try:
        yield
    except (DatasetError, WeightsError, TrainingError, ExportError) as error:
        refuse(str(error))
    except ModuleNotFoundError as error:
        lacking = (error.name or "").partition(".")[0]
        extra = next((extra for extra, modules in EXTRAS.items() if lacking in modules), None)
        if extra is None:
            raise
        refuse(f"this command needs the extra '{extra}': pip install 'ppe-monitor[{extra}]'")
    except OSError as error:
        if error.filename is None:
            raise
        refuse(f"{error.filename}: {error.strerror}")


@contextmanager
def never_as_faults() -> Iterator[None]:
    """Show what nobody expected, and leave with exit code 2: Python's own, 1, would say that a set has faults."""
    try:
        yield
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except Exception as error:
        traceback.print_exc()
        say(f"ppe: the check itself failed ({type(error).__name__}); this says nothing about the dataset")
        raise typer.Exit(REFUSED) from error


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[str], None]]:
    """Show how many of `total` are done on stderr, where somebody sees it."""
    from rich.progress import Progress

    with Progress(console=err(), transient=True, disable=not err().is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda _: progress.advance(task)


def card_path(name: str) -> Path:
    """Return the card that a name means: a file, or one that the project ships."""
    from service.settings import shipped

    given = Path(name)
    return given if given.suffix == ".toml" else shipped("datasets") / f"{name}.toml"


def source_of(text: str) -> Source:
    """Read ``CARD=FOLDER``.

    Raises:
        typer.BadParameter: it is something else.
        DatasetError: the card can't be read.
    """
    from service.lab.dataset.cards import read_card
    from service.lab.dataset.prepare import Source

    card, separator, folder = text.partition("=")
    if not (card and separator and folder):
        raise typer.BadParameter(f"{text!r}: expected CARD=FOLDER, such as construction-site-safety=exports/css")
    return Source(read_card(card_path(card)), Path(folder))


@dataset.command("cards")
def cards_command() -> None:
    """List the dataset cards that the project ships, and what each set is good for."""
    from rich.table import Column, Table

    from service.lab.dataset.cards import read_card
    from service.settings import shipped

    table = Table(Column("card", no_wrap=True), "title", "licence", "how to get it")
    cards = [read_card(path) for path in sorted(shipped("datasets").glob("*.toml"))]
    for card in cards:
        table.add_row(card.name, card.title, card.licence, card.how_to_get)
    out().print(table)
    for card in cards:
        if card.judgement:
            out().print(f"\n{card.name}: {' '.join(card.judgement.split())}", markup=False)


@dataset.command("check")
def check_command(
    ctx: typer.Context,
    path: Annotated[
        Path, typer.Argument(help="An export: Roboflow or Ultralytics YOLO (or its yaml file), or COCO json.")
    ],
    card: Annotated[
        str | None,
        typer.Option(help="Card that explains its labels; default: the one in it or named like it, or generic."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Folder for check.html and check.json (default: runs/check/NAME).")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="manifest.json of a model whose doubts about labels are shown too.")
    ] = None,
    imgsz: Annotated[int, typer.Option(min=64, help="Side of the training pictures in pixels.")] = 640,
) -> None:
    """Look for what is wrong with a dataset; write a report with pictures. Exit code 1: it has faults, 2: not checked.

    Example: ppe dataset check exports/css --card construction-site-safety --out runs/css-check
    """
    with never_as_faults():
        checked = _check_and_tell(ctx, path, card, folder, weights, imgsz)
    if checked.of_level("fault"):
        raise typer.Exit(FAULTS)


def _check_and_tell(
    ctx: typer.Context, path: Path, card: str | None, folder: Path | None, weights: Path | None, imgsz: int
) -> Checked:
    from service.lab.checking.check import check
    from service.lab.checking.report import as_json, write_html
    from service.lab.dataset.cards import read_card
    from service.lab.dataset.layouts import folder_of
    from service.lab.dataset.records import PICTURE_SUFFIXES

    home = folder_of(path)
    with clear_errors(), ExitStack() as opened:
        for module in EXTRAS["lab"]:
            import_module(module)  # without the extra it fails now and not when all is looked at
        known = read_card(card_path(card or card_like(home)))
        detector = detector_for(ctx, settings_for(weights=weights)) if weights else None
        if detector is not None:
            opened.callback(detector.close)
        files = sum(file.suffix.lower() in PICTURE_SUFFIXES for file in home.rglob("*"))
        on_picture = opened.enter_context(progress("looking at pictures", files))
        checked = check(path, known, imgsz=imgsz, detector=detector, on_picture=on_picture)
        written = folder or Path("runs") / "check" / home.resolve().name
        write_html(checked, written / "check.html")
        (written / "check.json").write_text(
            json.dumps(as_json(checked), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    for finding in checked.findings:
        out().print(f"{finding.level:8}{finding.code:24}{finding.title}", markup=False, soft_wrap=True)
    say_notes(checked.survey.notes)
    say(
        f"{len(checked.survey.seen)} pictures in {checked.seconds:.0f} s ({checked.cpu_seconds:.0f} s of CPU); card "
        f"{known.name}; see {written / 'check.html'}"
    )
    return checked


def say_notes(notes: Iterable[str]) -> None:
    """Say on stderr how a set was read, where its reader should know."""
    for note in notes:
        say(f"note: {note}")


def card_like(folder: Path) -> str:
    """Return the card of an export that none was named for: the one in it, the one named like it, or generic."""
    own = list(folder.glob("*.toml"))
    if len(own) == 1:
        return str(own[0])
    name = folder.resolve().name
    return name if card_path(name).is_file() else "generic"


@dataset.command("fix")
def fix_command(
    path: Annotated[Path, typer.Argument(help="An export; it is only read.")],
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write; must be new or empty.")],
) -> None:
    """Write a cleaned copy of a dataset: what can be mended without judgement is mended, and counted.

    Example: ppe dataset fix exports/css exports/css-clean
    """
    from service.lab.checking.mending import mend

    with clear_errors(), progress("looking at and writing pictures") as on_picture:
        mended = mend(path, folder, on_picture)
    say_notes(mended.notes)
    for what, count in mended.done.items():
        out().print(f"{count:6} {what}", highlight=False)
    out().print(
        f"wrote {mended.pictures} pictures with {mended.boxes} boxes to {folder}", highlight=False, soft_wrap=True
    )
