"""Commands of the lab: training, export and evaluation. None of them is needed to serve."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli.dataset import clear_errors
from service.cli.evaluate import evaluate_command
from service.cli.opening import detector_for, settings_for
from service.cli.terminal import out, refuse


def register(app: typer.Typer) -> None:
    """Add the lab's commands to the command line."""
    app.command("train")(train_command)
    app.command("average")(average_command)
    app.command("export")(export_command)
    app.command("golden")(golden_command)
    app.command("evaluate")(evaluate_command)
    app.command("episodes")(episodes_command)


def train_command(
    ctx: typer.Context,
    data: Annotated[Path | None, typer.Option(help="data.yaml that 'ppe dataset prepare' wrote.")] = None,
    base: Annotated[
        Path | None, typer.Option(help="Weights to start from (.pt): COCO weights, or ours to go on.")
    ] = None,
    folder: Annotated[Path | None, typer.Option("--out", help="Folder of the run; must be new.")] = None,
    resume_from: Annotated[Path | None, typer.Option("--resume", help="Folder of an interrupted run to go on.")] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(help="recipe.json of an earlier run: tells all that is not given here but data, base and device."),
    ] = None,
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
    rare_share: Annotated[
        float, typer.Option(min=0, max=1, help="Show pictures with classes rarer than this more often (0.5 is mild).")
    ] = 0.0,
    scale: Annotated[float, typer.Option(min=0, max=0.9, help="Pictures are zoomed by up to this share.")] = 0.5,
    hsv_v: Annotated[float, typer.Option(min=0, max=1, help="Brightness varies by up to this share.")] = 0.4,
    degrees: Annotated[float, typer.Option(min=0, max=180, help="Pictures are turned by up to this.")] = 0.0,
    mixup: Annotated[float, typer.Option(min=0, max=1, help="Share of pictures blended with another.")] = 0.0,
    degraded: Annotated[
        float,
        typer.Option(min=0, max=1, help="Share of pictures spoilt as a poor camera would (coarse, noisy, dark)."),
    ] = 0.0,
    pasted: Annotated[
        float, typer.Option(min=0, max=1, help="Share of pictures that get another picture's head, bare or not.")
    ] = 0.0,
    seed: Annotated[int, typer.Option()] = 1,
    device: Annotated[str, typer.Option(help="cpu, or a CUDA device such as 0.")] = "cpu",
    workers: Annotated[int, typer.Option(min=0, help="Processes that prepare pictures.")] = 8,
    cache: Annotated[bool, typer.Option("--cache", help="Keep all pictures in memory, decoded.")] = False,
) -> None:
    """Fine-tune a model, or go on with a run that was interrupted.

    Example: ppe train --data data/ppe/data.yaml --base yolo11n.pt --out runs/first
    """
    from service.lab import train as lab
    from service.lab.recipe import knobs, read_recipe

    options = {
        "epochs": epochs, "imgsz": imgsz, "batch": batch, "lr0": lr0, "lrf": lrf, "mosaic": mosaic,
        "close_mosaic": close_mosaic, "warmup_epochs": warmup_epochs, "rare_share": rare_share, "scale": scale,
        "hsv_v": hsv_v, "degrees": degrees, "mixup": mixup, "degraded": degraded, "pasted": pasted, "seed": seed,
    }  # fmt: skip
    with clear_errors():
        if resume_from is not None:
            if recipe is not None:
                raise typer.BadParameter("a run that is gone on with has its own recipe: leave --recipe out")
            done = lab.resume(resume_from)
        elif data is None or base is None or folder is None:
            raise typer.BadParameter("give --data, --base and --out for a new run, or --resume RUN")
        else:
            told: dict[str, Any] = knobs(read_recipe(recipe)) if recipe else {}
            given = {name: value for name, value in options.items() if name not in told or _given(ctx, name)}
            done = lab.train(data, base, folder, **{**told, **given}, device=device, workers=workers, cache=cache)
    out().print(f"done: {done / 'weights' / 'best.pt'} (plots and results.csv beside it)", highlight=False)


def _given(ctx: typer.Context, name: str) -> bool:
    """Tell whether an option stands on the command line (or in the environment), and is no default."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name not in ("DEFAULT", "DEFAULT_MAP")


def average_command(
    checkpoints: Annotated[list[Path], typer.Argument(help="Two checkpoints (.pt) or more, of one model.")],
    file: Annotated[Path, typer.Option("--out", help="The .pt to write.")],
) -> None:
    """Average the weights of several checkpoints of one model.

    Example: ppe average runs/first/epochs/epoch-004.pt runs/first/epochs/epoch-005.pt --out mean.pt
    """
    with clear_errors():
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
    golden: Annotated[bool, typer.Option(help="Keep what the weights see on their golden picture.")] = True,
) -> None:
    """Write the ONNX graph that the service runs, compare it with the .pt, write the manifest and its golden output."""
    from service.lab import export as lab

    with clear_errors():
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

        if golden:
            _keep_golden(manifest)


def golden_command(
    manifest: Annotated[Path, typer.Argument(help="The manifest.json of the weights.", exists=True, dir_okay=False)],
) -> None:
    """Put a golden picture beside some weights and what they see on it into their manifest, for the self-test.

    Example: ppe golden weights/manifest.json
    """
    with clear_errors():
        _keep_golden(manifest)


def _keep_golden(manifest: Path) -> None:
    from service.lab.golden import keep_golden

    kept = keep_golden(manifest)
    boxes = ", ".join(f"{box.name} {box.confidence:.2f}" for box in kept.boxes)
    out().print(f"golden picture {manifest.parent / kept.picture}: {boxes}", highlight=False)


def _recipe(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        refuse(f"{path}: not a recipe.json of ppe train ({error})")
    if not isinstance(told, dict):
        refuse(f"{path}: not a recipe.json of ppe train")
    return told


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

    with clear_errors():
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
