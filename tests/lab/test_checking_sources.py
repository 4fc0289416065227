"""Classes that one source of a set never labels while the others do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from service.lab.checking import sources
from service.lab.checking.check import check
from service.lab.checking.findings import Finding
from service.lab.checking.looking import Look, look_at_all
from service.lab.checking.report import as_json, write_html
from service.lab.checking.survey import Seen, Survey, table
from service.lab.dataset.records import LabelledBox, Picture
from tests.lab import sites
from tests.lab.checks import found, serious
from tests.lab.sites import CARD, pictures, rewrite, rows_of

pytestmark = pytest.mark.thorough

EVERYBODY = ("Hard Hat", "Hi-Vis", "Worker", "Bare Head", "Plain Shirt", "Worker")
DRESSED = ("Hard Hat", "Hi-Vis", "Worker", "Hard Hat", "Hi-Vis", "Worker")
NO_TORSO = ("Hard Hat", "Worker", "Bare Head", "Worker")
NO_BARE_TORSO = ("Hard Hat", "Hi-Vis", "Worker", "Bare Head", "Worker")
NO_PERSON = ("Hard Hat", "Hi-Vis", "Bare Head", "Plain Shirt")


@pytest.fixture(scope="module")
def look(tmp_path_factory: pytest.TempPathFactory) -> Look:
    folder = sites.write_set(tmp_path_factory.mktemp("one") / "set", train=1, valid=0)
    (picture,) = pictures(folder)
    (look,) = look_at_all([Picture(picture, "train", ())], lambda _: None)
    assert look is not None
    return look


@pytest.fixture
def surveyed(look: Look, tmp_path: Path) -> Callable[..., Survey]:
    def survey(*named: tuple[str, Iterable[int], tuple[str, ...]]) -> Survey:
        """Take pictures of the names given (``{}`` is a number), each with the labels given."""
        seen = tuple(
            Seen(Picture(tmp_path / f"{name.format(number)}.jpg", "train", boxes), look)
            for name, numbers, labels in named
            for boxes in [tuple(LabelledBox(label, 0.5, 0.5, 0.2, 0.2) for label in labels)]
            for number in numbers
        )
        return Survey(tmp_path, CARD, 640, seen, (), (), (), table(seen, CARD, 640))

    return survey


def lacking(survey: Survey) -> str:
    """Return what the finding says, or nothing."""
    findings: list[Finding] = list(sources.find(survey))
    return findings[0].what if findings else ""


def test_a_quarter_that_never_labels_torsos(copy: Path) -> None:
    for path in pictures(copy)[::4]:
        kept = [line for line in rows_of(path).read_text(encoding="utf-8").splitlines() if line[0] not in "23"]
        rows_of(path).with_name(f"b__{path.stem}.txt").write_text("\n".join(kept), encoding="utf-8")
        rows_of(path).unlink()
        path.rename(path.with_name(f"b__{path.name}"))
    checked = check(copy, CARD)
    (finding,) = found(checked, "class-by-source")
    assert (finding.level, finding.count, finding.of) == ("warning", 12, 48)
    assert "b: never vest or no-vest, on 12 pictures" in finding.what
    assert finding.rows[0] == ("source", "pictures", "helmet", "no-helmet", "vest", "no-vest", "person")
    (row,) = (row for row in finding.rows if row[0] == "b")
    assert row[1] == "12"
    assert row[4:6] == ("0", "0")
    assert finding.examples
    assert as_json(checked)["sources"]["b"]["pictures"] == 12


def test_every_source_stands_in_the_report_even_where_none_lacks_anything(small: Path, tmp_path: Path) -> None:
    for path in pictures(small)[::2]:
        rows_of(path).rename(rows_of(path).with_name(f"north__{path.stem}.txt"))
        path.rename(path.with_name(f"north__{path.name}"))
    checked = check(small, CARD)
    assert serious(checked) == []
    write_html(checked, tmp_path / "check.html")
    assert "<td>north</td>" in (tmp_path / "check.html").read_text(encoding="utf-8")


def test_kinds_and_people_that_a_named_source_omits(surveyed: Callable[..., Survey]) -> None:
    rest = ("a__{}", range(30), EVERYBODY)
    assert "b: never vest or no-vest" in lacking(surveyed(rest, ("b__{}", range(10), NO_TORSO)))
    assert "b: never person" in lacking(surveyed(rest, ("b__{}", range(10), NO_PERSON)))
    assert not lacking(surveyed(rest, ("b__{}", range(4), NO_TORSO)))  # too few to say so
    assert not lacking(surveyed(rest, ("b__{}", range(40), ())))  # background


def test_a_source_that_labels_worn_vests_only(surveyed: Callable[..., Survey]) -> None:
    rest = ("a__{}", range(30), EVERYBODY)
    said = lacking(surveyed(rest, ("b__{}", range(40), NO_BARE_TORSO)))
    assert "b: never no-vest, on 40 pictures" in said
    assert not lacking(surveyed(rest, ("b__{}", range(40), DRESSED)))  # everybody there has a label


def test_a_source_guessed_from_file_names(surveyed: Callable[..., Survey]) -> None:
    rest = ("IMG_{:04}", range(60), EVERYBODY)
    assert "youtube: never vest or no-vest" in lacking(surveyed(rest, ("youtube-{}_jpg.rf.a1", range(40), NO_TORSO)))
    assert not lacking(surveyed(rest, ("youtube-{}", range(20), NO_TORSO)))
    assert not lacking(surveyed(rest, ("youtube-{}", range(40), NO_BARE_TORSO)))
    assert "vest" not in lacking(surveyed(rest, ("portrait-{}", range(40), ("Hard Hat",))))  # no torso to be seen


@pytest.mark.parametrize("name", ["{:06}", "valid_{}", "IMG_{:04}", "frame{}", "-{}-_png_jpg", "a_mp4-{}_jpg.rf.0a"])
def test_ordinary_names_of_a_set_that_labels_everybody(surveyed: Callable[..., Survey], name: str) -> None:
    survey = surveyed((name, range(50), EVERYBODY), ("gate {}", range(50), DRESSED), ("yard-{}", range(4), NO_TORSO))
    assert not lacking(survey)


def test_the_provenance_of_a_prepared_set_names_the_source(surveyed: Callable[..., Survey], tmp_path: Path) -> None:
    rows = [{"picture": f"{number}.jpg", "split": "train", "source": "from-b"} for number in range(10)]
    lines = ["no json", "[]", *map(json.dumps, rows)]
    (tmp_path / "provenance.jsonl").write_text("\n".join(lines), encoding="utf-8")
    said = lacking(surveyed(("a__{}", range(30), EVERYBODY), ("{}", range(10), NO_TORSO)))
    assert "from-b: never vest or no-vest" in said


def test_many_sources_are_told_in_few_rows(surveyed: Callable[..., Survey]) -> None:
    rows = sources.table(surveyed(*((f"s{chr(97 + place)}__{{}}", range(2), EVERYBODY) for place in range(25))))
    assert len(rows) == 21
    assert rows[-1][:3] == ("(6 others)", "12", "12")
    assert sources.table(surveyed(("{}", range(3), EVERYBODY))) == ()


def test_a_set_of_people_only_lacks_no_people(small: Path) -> None:
    rewrite(small, lambda rows: [row for row in rows if row[0] == "4"])
    assert not found(check(small, CARD), "people-not-labelled")
