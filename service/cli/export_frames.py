"""``ppe evidence export``: false alarms leave the store as a set to correct. Off until it is switched on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from service.cli.opening import detector_for, settings_for
from service.cli.stored import asked_ms, opened_store, tell, told_time
from service.cli.terminal import NOT_ALL_JUDGED, refuse, say, shown

if TYPE_CHECKING:
    from service.cli.judging import Judged, Shot
    from service.cli.judging import Refused as Unreadable
    from service.inquiry import History, Mark, MarkKind
    from service.lab.dataset.labelled import Labelled
    from service.pictures.decode import PictureLimits
    from service.ports import Detector
    from service.store.store import Store

EXAMPLES = """
**Examples**

`PPE_EXPORT_FRAMES=true ppe evidence export --false-alarms --out exports/false-alarms`

`ppe evidence export --false-alarms --acknowledged --since 2026-05-01T00:00:00Z --blur-faces --out exports/may`

**Exit codes**: 0 all of them are there; 1 some pictures could not be read, they are named; 2 nothing was written.
"""
STOPPED: Final = "evidence can be exported while no service runs"
OFF: Final = (
    "exporting is off. It writes pictures of people out of the store, to where nothing forgets or erases them. Where "
    "that may be done (docs/privacy.md), switch it on with PPE_EXPORT_FRAMES=true"
)
QUALITY: Final = 95
"""Of a JPEG that is encoded anew because faces are gone from it."""


@dataclass(slots=True)
class _Chosen:
    """Alerts whose pictures are to leave, with the mark that says why; and what is left out."""

    marks: dict[str, Mark] = field(default_factory=dict)
    held: list[str] = field(default_factory=list)
    gone: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)

    def told(self) -> str:
        """Say how many there are of which kind."""
        kinds = Counter(mark.kind for mark in self.marks.values())
        return f"{kinds['false_alarm']} false alarms, {kinds['acknowledged']} acknowledged"


def export_command(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder to write; must be new or empty.")],
    false_alarms: Annotated[
        bool, typer.Option("--false-alarms", help="Alerts that somebody marked as false alarms.")
    ] = False,
    acknowledged: Annotated[
        bool,
        typer.Option(
            "--acknowledged",
            help="Alerts that somebody took care of and did not mark as false: what the model should go on to see.",
        ),
    ] = False,
    since: Annotated[
        str | None, typer.Option("--since", metavar="ISO", help="Only what fired since, such as 2026-05-01T00:00:00Z.")
    ] = None,
    blur_faces: Annotated[
        bool, typer.Option("--blur-faces", help="Make faces unrecognisable; helmets and hair stay.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Write pictures of alerts, with what the weights see on them, as a set to correct. They show people's faces."""
    from service.cli.dataset import clear_errors
    from service.lab.dataset.labelled import write_labelled
    from service.lab.dataset.whole import refuse_unless_empty
    from service.wiring import picture_limits

    settings = settings_for()
    if not settings.export_frames:
        refuse(OFF)
    if not (false_alarms or acknowledged):
        refuse("say what to export: --false-alarms, --acknowledged or both")
    if out.resolve().is_relative_to(settings.store.resolve()):
        refuse(f"--out {shown(str(out))} lies in the store's own folder; give one outside it")
    since_ms = asked_ms("--since", since) or 0
    with clear_errors(), opened_store(STOPPED) as store:
        refuse_unless_empty(out)
        chosen = _choose(store, since_ms, false_alarms=false_alarms, acknowledged=acknowledged)
        if not chosen.marks:
            _tell_left_out(chosen)
            refuse("there is nothing to export")
        faces = "without their faces" if blur_faces else "with their faces"
        if not yes and not typer.confirm(
            f"Write {len(chosen.marks)} pictures of people at work, {faces}, to {shown(str(out))}? "
            "What is erased in the store stays there",
            err=True,
        ):
            refuse("nothing was exported")
        detector = detector_for(ctx, settings, settings.tiles)
        try:
            _note(store, chosen, out)
            pictures = _labelled(store, detector, chosen, picture_limits(settings), blur_faces)
            written = write_labelled(out, pictures, detector.model, "Alerts that people looked at")
        finally:
            detector.close()
    tell(f"{written.pictures} pictures of people ({chosen.told()}), {written.boxes} boxes: {out}")
    _tell_left_out(chosen)
    say(
        "Now correct the labels: they are what the weights see, mistakes included. README.md there says how it goes on."
    )
    say("Delete the folder when you are done: nothing else does.")
    if chosen.unreadable:
        raise typer.Exit(NOT_ALL_JUDGED)


def _choose(store: Store, since_ms: int, *, false_alarms: bool, acknowledged: bool) -> _Chosen:
    """Choose the alerts: a false alarm is one whoever else took care of it, and what is held stays where it is."""
    false = store.marked("false_alarm", since_ms)
    wanted: list[tuple[str, MarkKind]] = [(alert, "false_alarm") for alert in false if false_alarms]
    if acknowledged:
        true = [alert for alert in store.marked("acknowledged", since_ms) if alert not in set(false)]
        wanted += [(alert, "acknowledged") for alert in true]
    held = store.keeping.status().held
    chosen = _Chosen()
    for alert, kind in wanted:
        known = store.alert(alert)
        if alert in held:
            chosen.held.append(alert)
        elif known is None or "clean" not in known.evidence:
            chosen.gone[store.why_gone(alert, "clean") or "never there"] += 1
        else:
            chosen.marks[alert] = [mark for mark in known.marks if mark.kind == kind][-1]
    return chosen


def _labelled(
    store: Store, detector: Detector, chosen: _Chosen, limits: PictureLimits, blur_faces: bool
) -> Iterator[Labelled]:
    """Judge the pictures one after another; one that can't be read is noted and left out."""
    from service.cli.judging import JudgingError, Refused, judge
    from service.lab.dataset.labelled import Labelled
    from service.safety.wearing import above

    files: dict[str, bytes] = {}
    try:
        for one in judge(detector, _shots(store, chosen, limits, files)):
            known = store.alert(one.filename)
            if isinstance(one, Refused) or known is None:
                del chosen.marks[one.filename]
                chosen.unreadable.append(one.filename)
                continue
            jpeg = files.pop(one.filename)
            seen = above(one.detections, detector.model.thresholds)
            about = _about(known, chosen.marks[one.filename], one)
            yield Labelled(one.filename, _without_faces(one, jpeg) if blur_faces else jpeg, seen, about)
    except JudgingError as error:
        refuse(str(error))


def _shots(
    store: Store, chosen: _Chosen, limits: PictureLimits, files: dict[str, bytes]
) -> Iterator[Shot | Unreadable]:
    from service.cli.judging import Refused, Shot
    from service.pictures.decode import PictureError, read_picture

    for alert in list(chosen.marks):
        jpeg = store.picture(alert, "clean") or b""
        try:
            image = read_picture(jpeg, limits)
        except PictureError as error:
            yield Refused(alert, error.code, error.detail)
        else:
            files[alert] = jpeg
            yield Shot(alert, Path(alert), image)


def _without_faces(one: Judged, jpeg: bytes) -> bytes:
    from service.pictures.blur import blur, heads
    from service.pictures.still import jpeg as encoded

    faces = heads(one.detections)
    return encoded(blur(one.shot.image, faces), QUALITY) if faces else jpeg


def _about(known: History, mark: Mark, one: Judged) -> dict[str, object]:
    """Say what is known of a picture; who is on it and who marked it is left out."""
    alert = known.alert
    return {
        "alert": alert.id,
        "marked": mark.kind,
        "reason": mark.note,
        "marked_at": told_time(mark.at_ms),
        "camera": alert.camera,
        "zone": alert.zone,
        "equipment": alert.equipment,
        "fired_at": told_time(alert.fired.wall_ms),
        "people_without": sum(person.of(alert.equipment).state == "missing" for person in one.people),
    }


def _note(store: Store, chosen: _Chosen, out: Path) -> None:
    """Write the line of the audit log first: no picture leaves without one."""
    from service.keys import Entry

    what = f"{chosen.told()} to {shown(str(out.resolve()))}"
    store.keys.note(Entry(time.time_ns() // 1_000_000, None, "command line", "evidence.export", what, "done"))


def _tell_left_out(chosen: _Chosen) -> None:
    if chosen.held:
        say(f"left out, held: {', '.join(chosen.held)}")
    for why, count in sorted(chosen.gone.items()):
        say(f"left out, no picture any more ({why.replace('_', ' ')}): {count}")
    for alert in chosen.unreadable:
        say(f"left out, its picture can't be read: {alert}")
