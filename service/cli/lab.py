"""Commands of the lab: datasets, training, export and evaluation. None of them is needed to serve."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli.opening import detector_for, settings_for
from service.cli.terminal import err, out, refuse

if TYPE_CHECKING:
    from service.lab.dataset.prepare import Source

dataset = typer.Typer(no_args_is_help=True, help="Datasets to train on and to judge by.")

Sources = Annotated[
    list[str],
    typer.Option(
        "--source", metavar="CARD=FOLDER", help="An export and the card that explains its labels; may be repeated."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the lab's commands to the command line."""
    app.add_typer(dataset, name="dataset")
    app.command("train")(train_command)
    app.command("average")(average_command)
    app.command("export")(export_command)
    app.command("evaluate")(evaluate_command)
    app.command("episodes")(episodes_command)


@contextmanager
def _clear_errors() -> Iterator[None]:
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
        if (error.name or "").partition(".")[0] not in {"ultralytics", "torch", "onnx"}:
            raise
        refuse("this command needs the extra 'train': pip install 'ppe-monitor[train]'")
    except OSError as error:
        if error.filename is None:
            raise
        refuse(f"{error.filename}: {error.strerror}")


@contextmanager
def _progress(what: str) -> Iterator[Callable[[str], None]]:
    from rich.progress import Progress

    with Progress(console=err(), transient=True, disable=not err().is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda _: progress.advance(task)


def card_path(name: str) -> Path:
    """Return the card that a name means: a file, or one that the project ships."""
    from service.settings import shipped

    given = Path(name)
    return given if given.suffix == ".toml" else shipped("datasets") / f"{name}.toml"


def _source(text: str) -> Source:
    from service.lab.dataset.cards import read_card
    from service.lab.dataset.prepare import Source

    card, separator, folder = text.partition("=")
    if not (card and separator and folder):
        raise typer.BadParameter(f"{text!r}: expected CARD=FOLDER, such as construction-site-safety=exports/css")
    return Source(read_card(card_path(card)), Path(folder))


@dataset.command("prepare")
def prepare_command(
    source: Sources,
    folder: Annotated[Path, typer.Option("--out", help="Folder to write; must be new or empty.")],
    people_from: Annotated[
        Path | None, typer.Option(help="COCO .pt weights that add person boxes where a set labels none.")
    ] = None,
) -> None:
    """Merge exports into one dataset with the classes helmet, no-helmet, vest, no-vest, person.

    Example: ppe dataset prepare --source construction-site-safety=css --source construction-safety-rf100=rf --out ppe
    """
    from rich.table import Table

    from service.lab.dataset.prepare import prepare

    with _clear_errors(), _progress("writing pictures") as on_picture:
        counts = prepare([_source(text) for text in source], folder, people_from=people_from, on_picture=on_picture)
    table = Table("source / split", "pictures", "helmet", "no-helmet", "vest", "no-vest", "person", "people added")
    for key, pictures in sorted(counts.pictures.items()):
        boxes = [str(counts.boxes[f"{key}/{name}"]) for name in ("helmet", "no-helmet", "vest", "no-vest", "person")]
        table.add_row(key, str(pictures), *boxes, str(counts.people_added[key] or ""))
    out().print(table)
    for label, number in sorted(counts.dropped.items()):
        out().print(f"dropped {number} boxes {label}: the card does not name it", highlight=False)
    for key, number in sorted(counts.without_label_file.items()):
        if number:
            out().print(f"{number} pictures of {key} have no label file: taken as background", highlight=False)


@dataset.command("cards")
def cards_command() -> None:
    """List the dataset cards that the project ships."""
    from rich.table import Column, Table

    from service.lab.dataset.cards import read_card
    from service.settings import shipped

    table = Table(Column("card", no_wrap=True), "title", "licence", "how to get it")
    for path in sorted(shipped("datasets").glob("*.toml")):
        card = read_card(path)
        table.add_row(card.name, card.title, card.licence, card.how_to_get)
    out().print(table)


@dataset.command("truth")
def truth_command(
    source: Sources,
    folder: Annotated[Path, typer.Option("--out", help="Folder to write <card>.jsonl to.")],
    decisions: Annotated[Path | None, typer.Option(help="Decisions on ambiguous people; default: the shipped.")] = None,
) -> None:
    """Make person truth (who wears what, by eye) for the valid and test pictures of exports again."""
    from service.lab.dataset.prepare import read_export
    from service.lab.truth import make_truth, write_truth
    from service.lab.truth_review.decisions import read_decisions
    from service.settings import shipped

    with _clear_errors():
        decided = read_decisions(decisions or shipped("datasets") / "truth" / "decisions.jsonl")
        for one in (_source(text) for text in source):
            splits = {picture.split for picture in read_export(one.folder)}
            wanted = [split for split in ("valid", "test") if split in splits]
            pictures = make_truth(one.card, one.folder, wanted, decided)
            folder.mkdir(parents=True, exist_ok=True)
            write_truth(folder / f"{one.card.name}.jsonl", pictures)
            out().print(f"{one.card.name}: {sum(len(p.people) for p in pictures)} people on {len(pictures)} pictures")


def train_command(
    data: Annotated[Path | None, typer.Option(help="data.yaml that 'ppe dataset prepare' wrote.")] = None,
    base: Annotated[
        Path | None, typer.Option(help="Weights to start from (.pt): COCO weights, or ours to go on.")
    ] = None,
    folder: Annotated[Path | None, typer.Option("--out", help="Folder of the run; must be new.")] = None,
    resume_from: Annotated[Path | None, typer.Option("--resume", help="Folder of an interrupted run to go on.")] = None,
    epochs: Annotated[int, typer.Option(min=1)] = 15,
    imgsz: Annotated[int, typer.Option(min=64, help="Side of the training pictures in pixels.")] = 640,
    batch: Annotated[int, typer.Option(min=1)] = 16,
    lr0: Annotated[float, typer.Option(help="First learning rate; the last is lr0 * lrf.")] = 1e-3,
    lrf: Annotated[float, typer.Option(help="Last learning rate as a share of the first.")] = 0.05,
    mosaic: Annotated[
        float, typer.Option(min=0, max=1, help="Share of mosaic pictures; low for sets of mosaics.")
    ] = 0.3,
    close_mosaic: Annotated[int, typer.Option(min=0, help="Last epochs without mosaic.")] = 2,
    warmup_epochs: Annotated[float, typer.Option(min=0)] = 1.0,
    seed: Annotated[int, typer.Option()] = 1,
    device: Annotated[str, typer.Option(help="cpu, or a CUDA device such as 0.")] = "cpu",
) -> None:
    """Fine-tune a model, or go on with a run that was interrupted.

    Example: ppe train --data data/ppe/data.yaml --base yolo11n.pt --out runs/first
    """
    from service.lab import train as lab

    with _clear_errors():
        if resume_from is not None:
            done = lab.resume(resume_from)
        elif data is None or base is None or folder is None:
            raise typer.BadParameter("give --data, --base and --out for a new run, or --resume RUN")
        else:
            done = lab.train(
                data, base, folder, epochs=epochs, imgsz=imgsz, batch=batch, lr0=lr0, lrf=lrf, mosaic=mosaic,
                close_mosaic=close_mosaic, warmup_epochs=warmup_epochs, seed=seed, device=device,
            )  # fmt: skip
    out().print(f"done: {done / 'weights' / 'best.pt'} (plots and results.csv beside it)", highlight=False)


def average_command(
    checkpoints: Annotated[list[Path], typer.Argument(help="Two checkpoints (.pt) or more, of one model.")],
    file: Annotated[Path, typer.Option("--out", help="The .pt to write.")],
) -> None:
    """Average the weights of several checkpoints of one model.

    Example: ppe average runs/first/epochs/epoch-004.pt runs/first/epochs/epoch-005.pt --out mean.pt
    """
    with _clear_errors():
        from service.lab.average import average

        average(checkpoints, file)
    out().print(f"wrote {file}", highlight=False)


def export_command(
    trained: Annotated[Path, typer.Argument(help="Trained weights (.pt).")],
    folder: Annotated[Path, typer.Option("--out", help="Folder for .pt, .onnx and manifest.json.")],
    name: Annotated[str, typer.Option(help="Name of the model.")] = "ppe-yolo11n",
    version: Annotated[str, typer.Option(help="Version of the weights.")] = "1",
    recipe: Annotated[
        Path | None, typer.Option(help="recipe.json of the run, kept in the manifest.", exists=True, dir_okay=False)
    ] = None,
    check: Annotated[list[Path] | None, typer.Option(help="Folder of pictures to compare .pt and .onnx on.")] = None,
    pictures: Annotated[int, typer.Option(min=1, help="How many of them.")] = 30,
    report: Annotated[Path | None, typer.Option(help="JSON file for how far the graph is from the .pt.")] = None,
) -> None:
    """Write the ONNX graph that the service runs, compare it with the .pt, write the manifest."""
    from service.lab import export as lab

    with _clear_errors():
        how = _recipe(recipe) if recipe else {}
        manifest = lab.export(trained, folder, name=name, version=version, how_made=how)
        out().print(f"wrote {manifest}", highlight=False)
        rows = []
        for precision in ("f32", "bf16") if check else ():
            parity = lab.check_parity(manifest, lab.sample(check or [], pictures), precision)
            out().print_json(data=asdict(parity))
            rows.append(asdict(parity))
            if report:
                report.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
            if not parity.boxes:
                raise lab.ExportError("the weights see nobody on these pictures: give others to --check")
            if precision == "f32" and (
                parity.unpaired or parity.least_iou < 0.99 or parity.most_confidence_difference > 0.01
            ):
                raise lab.ExportError(
                    "the exported graph does not see what the weights see (IoU 0.99, confidence 0.01)"
                )


def _recipe(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        refuse(f"{path}: not a recipe.json of ppe train ({error})")
    if not isinstance(told, dict):
        refuse(f"{path}: not a recipe.json of ppe train")
    return told


def evaluate_command(
    ctx: typer.Context,
    data: Annotated[Path | None, typer.Option(help="Folder with one export per card that has person truth.")] = None,
    source: Annotated[list[str] | None, typer.Option("--source", metavar="CARD=FOLDER", help="Or name them.")] = None,
    weights: Annotated[Path | None, typer.Option(help="manifest.json; default: the shipped weights.")] = None,
    folder: Annotated[Path | None, typer.Option("--out", help="Folder for report.md and report.json.")] = None,
    truth: Annotated[Path | None, typer.Option(help="Folder with <card>.jsonl; default: the shipped truth.")] = None,
    boxes: Annotated[bool, typer.Option(help="AP per class too (needs the extra 'train').")] = True,
    choose: Annotated[bool, typer.Option("--choose-thresholds", help="Choose thresholds on valid; keep them.")] = False,
) -> None:
    """Measure a model: AP per class, and per person whether missing equipment was called missing.

    Example: ppe evaluate --data exports --out docs/evaluation
    """
    from service.detectors.manifest import read_manifest, write_manifest
    from service.lab import evaluate as lab
    from service.lab import report
    from service.lab.dataset.cards import read_card
    from service.lab.dataset.prepare import Source
    from service.lab.train import go_offline
    from service.settings import shipped

    settings = settings_for(weights=weights)
    manifest = settings.weights
    with _clear_errors(), _progress("judging pictures") as on_picture:
        if boxes:
            go_offline()  # first of all: without the extra it fails now and not when all is measured
        truths = {path.stem: path for path in sorted((truth or shipped("datasets") / "truth").glob("*.jsonl"))}
        named = [_source(text) for text in source or []]
        named += [
            Source(read_card(card_path(card)), data / card) for card in truths if data and card_path(card).is_file()
        ]
        if not named:
            raise typer.BadParameter("give --data FOLDER or --source CARD=FOLDER")
        detector = detector_for(ctx, settings)
        groups = lab.look_at_all(detector, named, truths, on_picture)
        detector.close()
        thresholds = detector.model.thresholds
        if choose:
            if not lab.pooled(groups, "valid"):
                refuse("no picture of a valid split has truth, so there is nothing to choose thresholds on")
            thresholds = lab.choose(groups, thresholds)
            kept = read_manifest(manifest)
            write_manifest(kept.model_copy(update={"thresholds": thresholds}), manifest)
            out().print_json(data=thresholds.model_dump())
        found = lab.measure(manifest, named, groups, thresholds, with_boxes=boxes)
    out().print(report.markdown(found), highlight=False, markup=False, soft_wrap=True)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        (folder / "report.md").write_text(report.markdown(found), encoding="utf-8")


def episodes_command(
    ctx: typer.Context,
    clips: Annotated[Path, typer.Option(help="Folder with the clips that datasets/truth/clips.jsonl describes.")],
    weights: Annotated[Path | None, typer.Option(help="manifest.json; default: the shipped weights.")] = None,
    folder: Annotated[Path | None, typer.Option("--out", help="Folder for clips.json.")] = None,
) -> None:
    """Measure the alerts on recorded clips: episodes found, missed, false, doubled, seconds to the alert."""

    from rich.table import Table

    from service.lab import episodes as lab
    from service.lab.clips import read_clips
    from service.settings import shipped
    from service.tracking.bytetrack import ByteTrack
    from service.worker.clock import SystemClock

    with _clear_errors():
        listed = [(lab.find(clips, clip), clip) for clip in read_clips(shipped("datasets") / "truth" / "clips.jsonl")]
        detector = detector_for(ctx, settings_for(weights=weights))
        scores = []
        for path, clip in listed:
            for name in lab.VARIANTS:
                lives = lab.play(path, clip, detector, ByteTrack(), SystemClock(), name)
                scores.append(lab.score(clip, name, lives))
        detector.close()
    table = Table("clip", "variant", "found", "missed", "false", "doubled", "seconds to alert")
    for one in scores:
        numbers = (f"{one.found}/{one.episodes}", one.missed, one.false, one.doubled)
        table.add_row(one.clip, one.variant, *map(str, numbers), ", ".join(f"{delay:.1f}" for delay in one.delays))
    out().print(table)
    found = lab.summary(scores)
    bound = found["false_alerts_per_camera_hour_upper_95"]
    false, seconds = found["false_alerts_in_quiet"], 3600 * found["quiet_hours"]
    out().print(
        f"clips without a violation: {false} false alerts in {seconds:.0f} s (95 % upper bound {bound} an hour)"
    )
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "clips.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
