"""``ppe dataset truth`` and ``cut``: who is on the pictures to judge by, and which of them may tune a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.dataset import Sources, clear_errors, source_of
from service.cli.terminal import out, refuse, say

if TYPE_CHECKING:
    from service.lab.dataset.prepare import Source
    from service.lab.splits import CutPicture
    from service.lab.truth import TruthPicture


def register(dataset: typer.Typer) -> None:
    """Add the commands to those about datasets."""
    dataset.command("truth")(truth_command)
    dataset.command("cut")(cut_command)


def truth_command(
    source: Sources,
    folder: Annotated[Path, typer.Option("--out", help="Folder to write CARD.jsonl to.")],
    decisions: Annotated[Path | None, typer.Option(help="Decisions on ambiguous people; default: the shipped.")] = None,
    doubts: Annotated[
        Path | None, typer.Option(help="File for a row each of what is undecided, to be completed as decisions.")
    ] = None,
) -> None:
    """Make person truth (who wears what, by eye) for the valid and test pictures of exports.

    Whom the labels do not settle has to be looked at: all of them are listed at once. See docs/truth.md.
    """
    from service.lab.dataset.layouts import read_export
    from service.lab.truth import make_truth, write_truth
    from service.lab.truth_review.decisions import read_decisions
    from service.lab.undecided import UndecidedError, write_doubts
    from service.settings import shipped

    with clear_errors():
        decided = read_decisions(decisions or shipped("datasets") / "truth" / "decisions.jsonl")
        made: dict[str, list[TruthPicture]] = {}
        undecided: list[UndecidedError] = []
        for one in [source_of(text) for text in source]:
            splits = {picture.split for picture in read_export(one.folder)}
            wanted = [split for split in ("valid", "test") if split in splits]
            try:
                made[one.card.name] = make_truth(one.card, one.folder, wanted, decided)
            except UndecidedError as error:
                undecided.append(error)
        if undecided:
            if doubts:
                write_doubts(doubts, [doubt for error in undecided for doubt in error.doubts])
                say(f"wrote {doubts}: put what you see in place of each question mark, and give it as --decisions")
            refuse("\n".join(map(str, undecided)))
        folder.mkdir(parents=True, exist_ok=True)
        for name, pictures in made.items():
            write_truth(folder / f"{name}.jsonl", pictures)
            out().print(f"{name}: {sum(len(p.people) for p in pictures)} people on {len(pictures)} pictures")


def cut_command(
    source: Sources,
    folder: Annotated[Path, typer.Option("--out", help="Folder to write CARD.jsonl to: never the export itself.")],
    truth: Annotated[Path | None, typer.Option(help="Folder with CARD.jsonl; default: the shipped truth.")] = None,
    scenes: Annotated[
        Path | None, typer.Option(help="TOML file of scenes that only the eye joins; default: the shipped one.")
    ] = None,
) -> None:
    """Cut valid into tune (for every choice) and report (read once a release), by scene, once and for all.

    The same pictures give the same list. What it balances comes from person truth, or from the labels without it.

    Example: ppe dataset cut --source generic=exports/mine --out splits
    """
    from service.lab.splits import read_joined, write_cut
    from service.settings import shipped

    with clear_errors():
        joined = read_joined(scenes or shipped("datasets") / "splits" / "scenes.toml")
        for one in [source_of(text) for text in source]:
            name = one.card.name
            if folder.resolve().is_relative_to(one.folder.resolve()):
                refuse(f"{folder}: lies in the export {one.folder}, which is only read; give another folder")
            rows, known, told = _cut(one, (truth or shipped("datasets") / "truth") / f"{name}.jsonl", joined)
            _refuse_another(folder / f"{name}.jsonl", rows)
            folder.mkdir(parents=True, exist_ok=True)
            write_cut(folder / f"{name}.jsonl", rows)
            for part in ("tune", "report"):
                out().print(f"{name} {part}: {_counts(rows, known, part)}{told}", soft_wrap=True)
            if len({row.part for row in rows}) < 2:
                say(f"{name}: all its pictures are one scene, so that nothing is left for the report")


def _cut(
    one: Source, truth: Path, joined: dict[str, list[list[str]]]
) -> tuple[list[CutPicture], list[TruthPicture], str]:
    """Return the list, the rows that it was made from, and what is said of them."""
    from service.lab.by_labels import truth_by_labels
    from service.lab.dataset.layouts import read_export
    from service.lab.splits import cut_pictures
    from service.lab.truth import read_truth

    judged = truth.is_file()
    known = read_truth(truth) if judged else truth_by_labels(one.card, one.folder, ("valid",))
    known = [row for row in known if row.split == "valid"]
    if not known:
        refuse(f"{one.folder}: there is no valid split to cut")
    places = {picture.path.name: picture.path for picture in read_export(one.folder) if picture.split == "valid"}
    lacking = {row.picture: one.folder / row.picture for row in known if row.picture not in places}
    rows = cut_pictures(known, {**places, **lacking}, joined.get(one.card.name, ()))
    return rows, known, "" if judged else " (by its labels: it has no person truth)"


def _refuse_another(path: Path, rows: list[CutPicture]) -> None:
    """Refuse to replace a list by another: what was chosen on the old tune knows some of the new report."""
    from service.lab.splits import read_cut

    if path.exists() and read_cut(path) != rows:
        refuse(f"{path}: holds another cut; what was chosen by it knows its tune. Remove it if nothing was chosen yet")


def _counts(rows: list[CutPicture], known: list[TruthPicture], part: str) -> str:
    mine = [row for row in rows if row.part == part]
    names = {row.picture for row in mine}
    people = [person for row in known if row.picture in names for person in row.people]
    lack = [sum(getattr(person, what) == "missing" for person in people) for what in ("helmet", "vest")]
    scenes = len({row.scene for row in mine})
    return f"{len(mine)} pictures of {scenes} scenes, {lack[0]} people without a helmet, {lack[1]} without a vest"
