"""``ppe dataset prepare``: merge exports into one set to train on, and say what went into it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.dataset import Sources, clear_errors, progress, say_notes, source_of
from service.cli.opening import detector_for, settings_for
from service.cli.terminal import out

if TYPE_CHECKING:
    from service.detectors.manifest import WeightsFile
    from service.ports import Detector


def register(dataset: typer.Typer) -> None:
    """Add the command to those about datasets."""
    dataset.command("prepare")(prepare_command)


def prepare_command(
    ctx: typer.Context,
    source: Sources,
    folder: Annotated[Path, typer.Option("--out", help="Folder to write; must be new or empty.")],
    people_from: Annotated[
        Path | None, typer.Option(help="COCO .pt weights that add person boxes where a set labels none.")
    ] = None,
    labels_from: Annotated[
        Path | None,
        typer.Option(help="manifest.json of weights of ours that add the boxes of train that labellers left out."),
    ] = None,
    labels_confidence: Annotated[float, typer.Option(min=0.05, max=1, help="How sure they must be of a box.")] = 0.5,
    splits: Annotated[
        Path | None, typer.Option(help="Folder with cuts of valid, whose report is left out; default: the shipped.")
    ] = None,
) -> None:
    """Merge exports into one dataset with the classes helmet, no-helmet, vest, no-vest, person.

    Example: ppe dataset prepare --source construction-site-safety=css --source construction-safety-rf100=rf --out ppe
    """
    from rich.table import Table

    from service.lab.dataset.completing import open_completing
    from service.lab.dataset.prepare import prepare
    from service.lab.splits import kept_for_report
    from service.settings import shipped

    notes: list[str] = []
    with clear_errors(), progress("writing pictures") as on_picture:
        sources = [source_of(text) for text in source]
        lists = splits or shipped("datasets") / "splits"
        cuts = {one.card.name: lists / f"{one.card.name}.jsonl" for one in sources}
        held_out = {card: kept_for_report(path) for card, path in cuts.items()}
        detector = detector_for(ctx, settings_for(weights=labels_from)) if labels_from else None
        counts = prepare(
            sources,
            folder,
            people_from=people_from,
            sure_of=open_completing(detector, labels_confidence) if detector else None,
            labels_from=_file_of(labels_from, detector) if labels_from and detector else None,
            held_out=held_out,
            on_picture=on_picture,
            on_note=notes.append,
        )
    say_notes(notes)
    table = Table("source / split", "pictures", "helmet", "no-helmet", "vest", "no-vest", "person", "people added")
    for key, pictures in sorted(counts.pictures.items()):
        boxes = [str(counts.boxes[f"{key}/{name}"]) for name in ("helmet", "no-helmet", "vest", "no-vest", "person")]
        table.add_row(key, str(pictures), *boxes, str(counts.people_added[key] or ""))
    out().print(table)
    for key, number in sorted(counts.labels_added.items()):
        if number:
            out().print(f"added {number} boxes {key} that no label stands for", highlight=False)
        else:
            card, _, name = key.split("/")
            said = f"{card} has no label for {name}, and none was added: it teaches that there is none"
            out().print(said, soft_wrap=True)
    for label, number in sorted(counts.dropped.items()):
        out().print(f"dropped {number} boxes {label}: the card does not name it", highlight=False)
    for key, number in sorted(counts.held_out.items()):
        if number:
            out().print(f"{number} pictures of {key} are left out: {lists} keeps them for the report", soft_wrap=True)
    for key, number in sorted(counts.without_label_file.items()):
        if number:
            out().print(f"{number} pictures of {key} have no label file: taken as background", highlight=False)


def _file_of(manifest: Path, detector: Detector) -> WeightsFile:
    """Return the file of weights that a detector runs."""
    from service.detectors.manifest import WeightsFile, read_manifest

    sha256 = detector.model.sha256
    names = (one.file for one in read_manifest(manifest).files.values() if one.sha256 == sha256)
    return WeightsFile(file=next(names, manifest.name), sha256=sha256)
