"""Every language says everything, with the same words to fill in."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import replace

import pytest

from service.delivery.catalogue import FOLDER, OTHER, Catalogue, catalogue, languages
from service.delivery.grouping import Plan
from service.delivery.notice import Notice
from service.delivery.talk import Talk
from service.delivery.wording import Wording
from tests.delivery.crowd import START_MS, at, fired, told_of_camera

NOW_MS = at(100)
CONDITIONS = [
    *("offline", "frozen", "blind", "moved"),
    *(f"cannot_judge:{why}:{item}" for why in ("mostly_unknown", "detector_failed") for item in ("helmet", "vest")),
]
each_language = pytest.mark.parametrize("language", languages())


def wording(language: str, **how: object) -> Wording:
    return Wording(catalogue(language), "UTC", "Plant 4", **how)  # type: ignore[arg-type]


def planned(*talks: Talk) -> Plan:
    return Plan("digest" if len(talks) > 1 else "news", talks, frozenset(), (), NOW_MS)


def forms(text: str | Mapping[str, str]) -> dict[str, str]:
    return {OTHER: text} if isinstance(text, str) else dict(text)


def words(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_there_are_english_and_korean() -> None:
    assert set(languages()) >= {"en", "ko"}


@each_language
def test_no_text_is_missing_and_none_is_left_over(language: str) -> None:
    found, english = catalogue(language), catalogue("en")
    assert found.texts.keys() == english.texts.keys()
    for key, text in found.texts.items():
        told = english.texts[key]
        assert isinstance(text, str) == isinstance(told, str), key
        for form in forms(text).values():
            assert words(form) <= words(forms(told)[OTHER]), key
        assert words(forms(text)[OTHER]) == words(forms(told)[OTHER]), key
        if not isinstance(text, str):
            assert text.keys() == {*found.plural, OTHER}, key


@each_language
def test_every_trouble_has_its_words(language: str) -> None:
    for condition in CONDITIONS:
        for begins in (True, False):
            one = told_of_camera("a", 0, begins=begins, condition=condition)
            one = Notice(**{**{name: getattr(one, name) for name in one.__slots__}, "detail": condition.split(":")[-1]})
            title, body = wording(language).letter(planned(Talk(one.group, (one,))), NOW_MS)
            assert "North" in title
            assert "{" not in title + body


@each_language
def test_every_kind_of_letter_can_be_said(language: str) -> None:
    one = fired("a")
    over = Notice(**{**{name: getattr(one, name) for name in one.__slots__}, "what": "resolved"})
    talks = [
        Talk(one.group, (one,), (one,), (one,)),
        Talk(one.group, (one, one), (), (one,), count=2, last_ms=START_MS),
        Talk(one.group, (), (one,), (one,)),
        Talk(one.group, (over,), (), (one,)),
        Talk(("north", "whole-picture", "vest"), (one,), (one,), (one,)),
    ]
    said = {wording(language, public_url="https://x").letter(planned(talk), NOW_MS) for talk in talks}
    assert len(said) == len(talks)
    title, body = wording(language, escalated_after=15).letter(planned(talks[0]), NOW_MS)
    assert "15" in body
    assert title != wording(language).letter(planned(talks[0]), NOW_MS)[0]
    assert all("Plant 4" in text for text in wording(language).test())


def test_a_digest_has_a_line_for_each_and_says_how_many_more() -> None:
    many = [Talk(("north", f"zone{number}", "helmet"), (fired(str(number)),)) for number in range(20)]
    title, body = wording("en").letter(replace(planned(*many), rest=5), NOW_MS)
    assert title == "Plant 4: 25 things to look at"
    assert body.splitlines()[0] == "• No helmet: Yard (camera North) – 1 alert since 13:03, none is open now"
    assert "and 5 more" in body


def test_times_of_another_day_have_their_date() -> None:
    title_and_body = wording("en").letter(planned(Talk(fired("a").group, (fired("a"),))), NOW_MS + 86_400_000)
    assert "since 2026-03-02 13:03" in title_and_body[1]


def test_forms_follow_the_rules_of_a_language() -> None:
    polish = Catalogue("pl", {"one": {"is": [1]}, "few": {"mod10": [2, 3, 4], "not_mod100": [12, 13, 14]}}, {})
    assert [polish.form(n) for n in (1, 2, 5, 12, 22, 101)] == ["one", "few", OTHER, OTHER, "few", OTHER]


def test_an_unknown_language_is_told() -> None:
    with pytest.raises(ValueError, match="no texts in the language 'xx', only in en, ko"):
        catalogue("xx")
    assert FOLDER.is_dir()
