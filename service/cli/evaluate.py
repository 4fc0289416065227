"""``ppe evaluate``: judge a model, choose its thresholds, compare two models."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.dataset import card_like, card_path, clear_errors, progress, source_of
from service.cli.opening import detector_for, settings_for
from service.cli.terminal import out, refuse, say

if TYPE_CHECKING:
    from service.lab.dataset.prepare import Source
    from service.lab.looking import Cuts, Groups
    from service.ports import Detector
    from service.safety.thresholds import Thresholds
    from service.settings import Settings


def evaluate_command(
    ctx: typer.Context,
    data: Annotated[
        Path | None, typer.Option(help="An export, or a folder with one per card that has person truth.")
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option("--source", metavar="CARD=FOLDER", help="Or name them, such as a set of your own without truth."),
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="manifest.json; default: the shipped weights.")] = None,
    against: Annotated[
        Path | None, typer.Option(help="Another manifest.json: intervals of the differences, on tune.")
    ] = None,
    folder: Annotated[Path | None, typer.Option("--out", help="Folder for report.md and report.json.")] = None,
    html: Annotated[
        Path | None, typer.Option(help="Folder for report.html; it holds dataset pictures: keep it private.")
    ] = None,
    truth: Annotated[Path | None, typer.Option(help="Folder with CARD.jsonl; default: the shipped truth.")] = None,
    splits: Annotated[Path | None, typer.Option(help="Folder with cuts of valid; default: the shipped ones.")] = None,
    boxes: Annotated[bool, typer.Option(help="Box metrics and calibration too.")] = True,
    pt: Annotated[bool, typer.Option(help="Compare the graph with the .pt too (needs the extra 'train').")] = True,
    tune_only: Annotated[
        bool, typer.Option("--tune-only", help="Leave report and test unread: to choose between models.")
    ] = False,
    choose: Annotated[bool, typer.Option("--choose-thresholds", help="Choose thresholds on tune; keep them.")] = False,
    second_look: Annotated[
        int | None, typer.Option(min=0, help="People looked at closer on one picture, for 'as served'; 0: none.")
    ] = None,
    precision: Annotated[
        float, typer.Option(min=0, max=1, help="Precision of 'missing' that chosen thresholds must reach.")
    ] = 0.90,
) -> None:
    """Judge a model: boxes per class, and per person whether missing equipment was called missing.

    Examples: ppe evaluate --data exports --out docs/evaluation --html runs/evaluation

    ppe evaluate --data exports --weights runs/new/manifest.json --against weights/manifest.json --tune-only

    ppe evaluate --source generic=exports/mine --weights runs/new/manifest.json

    A source without person truth is judged by its labels: boxes in full, people as far as the labels settle it.
    """
    from service.lab import evaluate as lab
    from service.lab import grounds, looking, report
    from service.lab.train import go_offline
    from service.settings import shipped

    settings = settings_for(weights=weights, second_look=second_look)
    parity = boxes and not tune_only and ctx.obj is None
    with clear_errors(), progress("judging pictures") as on_picture:
        if boxes and pt and not tune_only:
            go_offline()  # first of all: without the extra it fails now and not when all is measured
        if html:
            _need_page()
        truths = {path.stem: path for path in sorted((truth or shipped("datasets") / "truth").glob("*.jsonl"))}
        named = _sources(data, source, truths)
        cuts = _cuts(splits or shipped("datasets") / "splits", named)

        def look(detector: Detector) -> Groups:
            with contextlib.closing(detector):
                return looking.look_at_all(detector, named, truths, on_picture, cuts, tune_only=tune_only)

        groups = look(detector := _detector(ctx, settings))
        thresholds = detector.model.thresholds
        if choose:
            thresholds = _chosen(settings.weights, groups, thresholds, precision)
        served = look(detector_for(ctx, settings)) if settings.second_look else None
        found = lab.measure(settings.weights, named, groups, thresholds, served=served, with_boxes=boxes)
        if parity:
            found["parity"] = lab.parity(settings.weights, named, truths, with_pt=pt, on_picture=on_picture)
        if against:
            rival = _detector(ctx, settings_for(weights=against))
            theirs = looking.look_at_all(rival, named, truths, on_picture, cuts, tune_only=True)
            rival.close()
            found["against"] = {
                "model": {"name": rival.model.name, "version": rival.model.version, "sha256": rival.model.sha256},
                "differences": lab.compare(groups, thresholds, theirs, rival.model.thresholds),
            }
    out().print(grounds.page(found), highlight=False, markup=False, soft_wrap=True)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_text(report.as_json(found), encoding="utf-8")
        (folder / "report.md").write_text(grounds.page(found), encoding="utf-8")
    if html:
        from service.lab.sheet import sheet

        sheet(found, groups, thresholds).write(html / "report.html")
        say(f"wrote {html / 'report.html'} (it holds pictures of the datasets: do not publish it)")


def _sources(data: Path | None, source: list[str] | None, truths: dict[str, Path]) -> list[Source]:
    from service.lab.dataset.cards import read_card
    from service.lab.dataset.coco import coco_files
    from service.lab.dataset.layouts import config_of
    from service.lab.dataset.prepare import Source

    named = [source_of(text) for text in source or []]
    if data and (config_of(data) or coco_files(data)):  # a set of one's own, and no folder with several
        return [*named, Source(read_card(card_path(card_like(data))), data)]
    named += [Source(read_card(card_path(card)), data / card) for card in truths if data and card_path(card).is_file()]
    if not named:
        raise typer.BadParameter("give --data FOLDER or --source CARD=FOLDER")
    return named


def _cuts(folder: Path, named: list[Source]) -> Cuts:
    from service.lab.splits import read_cut

    files = {one.card.name: folder / f"{one.card.name}.jsonl" for one in named}
    return {name: {row.picture: row for row in read_cut(path)} for name, path in files.items() if path.is_file()}


def _detector(ctx: typer.Context, settings: Settings) -> Detector:
    """Open the detector that is measured: the service's, reporting from a confidence of 0.001 on."""
    from service.lab.faint import FaintPt, open_faint

    if ctx.obj:
        opened: Detector = ctx.obj(settings)
        return opened
    return (
        FaintPt(settings.weights)
        if settings.detector == "ultralytics"
        else open_faint(settings.weights, settings.precision)
    )


def _need_page() -> None:
    """Refuse early where a page can't be made."""
    try:
        import jinja2  # noqa: F401
        import matplotlib as mpl  # noqa: F401
    except ModuleNotFoundError:
        refuse("--html needs the extra 'lab': pip install 'ppe-monitor[lab]'")


def _chosen(manifest: Path, groups: Groups, start: Thresholds, precision: float) -> Thresholds:
    """Choose thresholds on what tunes, write them into the manifest with what was asked and reached, and say so."""
    from service.detectors.manifest import read_manifest, write_manifest
    from service.lab import choosing, looking

    tuning = looking.pooled(looking.counted(groups), "tune", "valid")
    if not tuning:
        refuse("on no picture of a valid split people can be counted: nothing to choose thresholds on")
    thresholds = choosing.choose(tuning, start, precision)
    counted = choosing.reached(tuning, thresholds)
    kept = read_manifest(manifest)
    scores = {**kept.scores, "thresholds": choosing.as_scores(counted, precision)}
    write_manifest(kept.model_copy(update={"thresholds": thresholds, "scores": scores}), manifest)
    out().print_json(data=thresholds.model_dump())
    for equipment, one in counted.items():
        out().print(choosing.told(equipment, one, precision), soft_wrap=True)
    return thresholds
