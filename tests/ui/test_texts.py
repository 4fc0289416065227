"""Every language of the screen says everything, with the same words to fill in, and all that its pages say is there."""

from __future__ import annotations

import re

import pytest

from service.delivery.catalogue import OTHER
from service.ui.screen import FILES
from service.ui.shell import PAGES
from service.ui.words import FALLBACK, spoken, texts, wanted
from tests.delivery.test_catalogues import forms, words

_SAID = re.compile(r'\b(?:say|name)\(\s*(["`])([^"`]+)\1')
_NAMED = re.compile(r'["`]((?:[a-z_]+\.)+[a-z_]+)["`]')
each_language = pytest.mark.parametrize("language", spoken())


def scripts() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(FILES.glob("*.js")))


@each_language
def test_no_text_is_missing_and_none_is_left_over(language: str) -> None:
    found, english = texts(language), texts(FALLBACK)
    assert found.texts.keys() == english.texts.keys()
    for key, text in found.texts.items():
        told = english.texts[key]
        assert isinstance(text, str) == isinstance(told, str), key
        assert words(forms(text)[OTHER]) == words(forms(told)[OTHER]), key
        if not isinstance(text, str):
            assert {OTHER} <= text.keys() <= {*found.plural, OTHER}, key


def test_what_the_pages_say_is_there() -> None:
    known = texts(FALLBACK).texts
    for _, key in _SAID.findall(scripts()):
        stem, placeholder, _ = key.partition("${")
        if placeholder:
            assert any(one.startswith(stem) for one in known), key
        else:
            assert key in known or any(one.startswith(f"{key}.") for one in known), key


def test_every_text_is_used() -> None:
    told = scripts()
    stems = {key.partition("${")[0] for _, key in _SAID.findall(told)}
    named = set(_NAMED.findall(told)) | set(re.findall(r"[\"`]([a-z_]+(?:\.[a-z_]+)*\.)\$\{", told)) | stems
    kinds = {"language", "brand", "theme", "aid", "noscript", "nav", "problem."}
    for key in texts(FALLBACK).texts:
        page, _, rest = key.partition(".")
        if key in kinds or (page in {"nav", "title"} and rest in PAGES):
            continue
        used = any(key == one or (one.endswith(".") and key.startswith(one)) or page == one for one in named)
        assert used, key


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        (None, "ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        (None, "de, en;q=0.5, ko;q=0.7", "ko"),
        (None, "", "en"),
        (None, "ko;q=0", "en"),
        (None, "*;q=x,\x00", "en"),
        ("en", "ko", "en"),
        ("../en", "ko", "ko"),
    ],
)
def test_a_browser_gets_the_language_that_it_wants(chosen: str | None, accepted: str, language: str) -> None:
    assert wanted(chosen, accepted) == language
