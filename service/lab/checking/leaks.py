"""The same picture twice: in one split it is counted double, in two splits it makes measured figures too good."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from service.lab.checking import contradicting
from service.lab.checking.findings import SHOWN, Example, Finding, counted
from service.lab.checking.joining import joined, video_of
from service.lab.checking.spanning import Leaks, leaks_of
from service.lab.checking.survey import Survey
from service.lab.checking.twins import Twins, twins

__all__ = ["find", "twins"]


def find(survey: Survey, known: Twins) -> Iterator[Finding]:
    """Yield duplicates within splits, labels that contradict each other, and what leaks across splits."""
    leaks = leaks_of(survey.seen, known.copies)
    within = [pair for pair in known.copies if pair not in leaks.pairs]
    if within:
        count = len(survey.seen) - len(set(joined(len(survey.seen), within)))
        yield Finding(
            "duplicate-picture",
            "warning" if count >= 0.02 * len(survey.seen) else "note",
            "Pictures that stand in one split twice",
            f"{counted(count, len(survey.seen), 'pictures')} show the same as another one of their split.",
            "Keep one of each; `ppe dataset fix` removes equal files. Of a fixed camera take frames further apart.",
            count,
            len(survey.seen),
            _examples(survey, {pair: known.copies[pair] for pair in within}),
        )
    yield from contradicting.find(survey)
    held = [index for index, one in enumerate(survey.seen) if one.picture.split != "train"]
    if leaks.pairs:
        yield Finding(
            "leak-copy",
            "fault" if leaks.trained else "warning",
            "Pictures that stand in several splits",
            f"{counted(len(leaks.held), len(held), 'pictures of valid and test')} show the same as a picture of "
            f"another split: copies, cuts, frames of one moment. {_told(leaks, len(survey.seen) - len(held))}",
            _mend(leaks),
            len(leaks.held),
            len(held),
            _examples(survey, leaks.pairs),
            _table(survey, leaks),
        )
    yield from _videos(survey, held)


def _told(leaks: Leaks, trained: int) -> str:
    if not leaks.trained:
        return "None of train is among them: only what is chosen on valid looks too good on test."
    told = (
        f"{counted(len(leaks.trained), trained, 'pictures of train')} are among them, so that a model which remembers "
        "looks good."
    )
    if leaks.scenes:
        shared = leaks.trained & {index for scene in leaks.scenes for index in scene}
        what = "one scene spans" if len(leaks.scenes) == 1 else f"{len(leaks.scenes)} scenes span"
        told += (
            f" {what.capitalize()} several splits, with {len(shared):,} pictures of train: a fixed camera or a video "
            "whose frames were dealt out by lot. Each of its frames shows what the others show."
        )
    return told


def _mend(leaks: Leaks) -> str:
    said = ["Keep such pictures in one split."]
    if leaks.scenes or leaks.staying:
        said = ["The set needs a new split, by scene or by time: all of a camera, a day or a video in one split."]
    if leaks.removable:
        said.append(f"`ppe dataset fix` takes out {len(leaks.removable):,} of train.")
    if leaks.staying:
        said.append(f"`ppe dataset fix` leaves {len(leaks.staying):,} of train: too little of it would be left.")
    if leaks.unsettled:
        said.append(
            f"`ppe dataset fix` leaves {len(leaks.unsettled):,} whose labels contradict those of an equal file."
        )
    return " ".join(said)


def _table(survey: Survey, leaks: Leaks) -> tuple[tuple[str, ...], ...]:
    if not leaks.scenes:
        return ()
    rows = (
        (
            str(place),
            *(str(sum(survey.seen[row].picture.split == split for row in scene)) for split in survey.splits),
        )
        for place, scene in enumerate(leaks.scenes[:10], start=1)
    )
    return (("scene", *survey.splits), *rows)


def _videos(survey: Survey, held: list[int]) -> Iterator[Finding]:
    by_video: dict[str, list[int]] = defaultdict(list)
    for index, one in enumerate(survey.seen):
        if video := video_of(one.picture):
            by_video[video].append(index)
    shared = {
        name: rows for name, rows in by_video.items() if len({survey.seen[row].picture.split for row in rows}) > 1
    }
    leaked = [row for rows in shared.values() for row in rows if survey.seen[row].picture.split != "train"]
    if not leaked:
        return
    table = [
        (name, *(str(sum(survey.seen[row].picture.split == split for row in rows)) for split in survey.splits))
        for name, rows in sorted(shared.items(), key=lambda pair: -len(pair[1]))
    ]
    yield Finding(
        "leak-video",
        "fault" if len(leaked) >= 0.05 * len(held) else "warning",
        "Videos that several splits share",
        f"{counted(len(leaked), len(held), 'pictures of valid and test')} are frames of {len(shared)} videos that "
        "another split holds frames of too (by their file names). Figures measured on them are too good.",
        "Divide the set by video: every frame of a video in one split.",
        len(leaked),
        len(held),
        tuple(_pair(survey, rows, "one video") for rows in list(shared.values())[:SHOWN]),
        (("video", *survey.splits), *table[:30]),
    )


def _pair(survey: Survey, rows: list[int], how: str) -> Example:
    """Show the first of `rows` beside the first that stands in another split, or the second."""
    one = survey.seen[rows[0]].picture
    others = [survey.seen[row].picture for row in rows[1:]]
    other = next((picture for picture in others if picture.split != one.split), others[0])
    return Example(one.path, f"{one.split}/{one.path.name}\n{other.split}/{other.path.name}\n{how}", (), other.path)


def _examples(survey: Survey, pairs: dict[tuple[int, int], str]) -> tuple[Example, ...]:
    return tuple(_pair(survey, list(pair), how) for pair, how in list(pairs.items())[:SHOWN])
