from __future__ import annotations

import base64
import re
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from service.lab.page import Page


def written(page: Page, folder: Path) -> str:
    page.write(folder / "new" / "page.html")
    return (folder / "new" / "page.html").read_text(encoding="utf-8")


def figure() -> Figure:
    made = Figure(figsize=(3, 2))
    axes = made.subplots()
    axes.bar(["a", "b"], [1, 2])
    axes.set_title("Bars <b> & more")
    return made


def test_everything_is_escaped(tmp_path: Path) -> None:
    page = Page("<script>", "<i>")
    page.section("<h1>", "<p>")
    page.table(["<th>"], [["<td>", None, 3]])
    page.pictures([(np.zeros((4, 4, 3), np.uint8), '"><img src=x>')])
    text = written(page, tmp_path)
    assert "<script" not in text
    assert "&lt;td&gt;" in text
    assert "<td></td><td>3</td>" in text
    assert "<img src=x>" not in text


def test_nothing_is_fetched(tmp_path: Path) -> None:
    page = Page("Title")
    page.plot(figure())
    page.pictures([(np.zeros((4, 4, 3), np.uint8), "black")])
    text = written(page, tmp_path)
    assert "default-src 'none'" in text
    for found in re.findall(r'(?:src|href)="([^"]*)"', text):
        assert found.startswith(("data:", "#"))
    assert "@import" not in text
    assert "url(http" not in text


def test_a_large_picture_is_scaled_down_and_a_small_one_kept(tmp_path: Path) -> None:
    page = Page("Title")
    images = [np.full((500, 1000, 3), (0, 0, 200), np.uint8), np.zeros((30, 20, 3), np.uint8)]
    page.pictures(((image, "x") for image in images), width=100)
    sizes = []
    for data in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', written(page, tmp_path)):
        image = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        sizes.append(image.shape[:2])
    assert sizes == [(75, 150), (30, 20)]


def test_a_plot_is_inline_and_its_letters_are_text(tmp_path: Path) -> None:
    page = Page("Title")
    page.plot(figure())
    text = written(page, tmp_path)
    assert "<?xml" not in text
    assert "<!DOCTYPE svg" not in text
    assert "Bars &lt;b&gt; &amp; more" in text


def test_the_same_page_is_the_same_file(tmp_path: Path) -> None:
    texts = []
    for name in ("one", "other"):
        page = Page("Title")
        page.plot(figure())
        texts.append(written(page, tmp_path / name))
    assert texts[0] == texts[1]


def test_contents_are_listed_when_there_are_several_sections(tmp_path: Path) -> None:
    page = Page("Title")
    for name in ("One", "Two", "Three"):
        page.section(name)
    text = written(page, tmp_path)
    assert '<a href="#s2">Two</a>' in text
    assert '<h2 id="s2">Two</h2>' in text
