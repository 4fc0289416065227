"""The frame of every page of the screen: what it is called, what it may load, its texts. All else the browser asks for.

A page holds nothing of the site, so it needs no key; what it asks the API for does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import Final

from service.ui.words import spoken, texts

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGES: Final = {
    "now": "watching",
    "alerts": "watching",
    "reports": "watching",
    "zones": "setting-up",
    "cameras": "setting-up",
    "access": "admin",
    "try": "detect",
    "signin": "",
}
"""Every page, and what must be so for a link to it: cameras are watched, and may be changed, an admin is signed in,
pictures may be judged; "" never has one."""
THEMES: Final = ("light", "dark")


def page(name: str, language: str, theme: str | None, files: str, modules: Iterable[str] = ()) -> str:
    """Return a page.

    Args:
        name: which of `PAGES`.
        theme: light or dark; None: as the browser is set.
        files: path below which scripts and styles lie.
        modules: scripts that its script imports: browsers ask for all of them at once then, not for one after another.
    """
    words = texts(language)
    said = {"language": language, "plural": words.plural, "texts": words.texts}
    known = json.dumps(said, ensure_ascii=False).replace("<", "\\u003c")
    links = "".join(
        f'<a href="/screen/{one}" data-needs="{needs}"{current(one == name)} hidden>'
        f"{escape(words.say(f'nav.{one}'))}</a>"
        for one, needs in PAGES.items()
        if needs
    )
    speak = "".join(
        f'<button type="button" data-language="{one}" lang="{one}"{current(one == language)}>'
        f"{escape(texts(one).say('language'))}</button>"
        for one in spoken()
    )
    early = "".join(f'<link rel="modulepreload" href="{files}/{one}">\n' for one in modules)
    coloured = f' data-theme="{theme}"' if theme in THEMES else ""
    return f"""<!doctype html>
<html lang="{language}"{coloured}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(words.say(f"title.{name}"))}</title>
<link rel="icon" href="{files}/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{files}/screen.css">
{early}<script type="application/json" id="words">{known}</script>
<script type="module" src="{files}/{name}.js"></script>
</head>
<body data-page="{name}">
<header class="top">
<a class="brand" href="/screen/">{escape(words.say("brand"))}</a>
<nav aria-label="{escape(words.say("nav"))}">{links}</nav>
<div class="who"></div>
</header>
<main id="main"><noscript>{escape(words.say("noscript"))}</noscript></main>
<footer>
<p class="aid">{escape(words.say("aid"))}</p>
<div class="choices">{speak}<button type="button" data-theme-switch>{escape(words.say("theme"))}</button></div>
</footer>
</body>
</html>
"""


def current(yes: bool) -> str:
    """Mark what is shown now among its like."""
    return ' aria-current="page"' if yes else ""
