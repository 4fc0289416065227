from __future__ import annotations

import functools
import http.server
import threading
from pathlib import Path

import pytest

from tests.cli.workers import photo, real_weights, run
from tests.pictures.films import film


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent calls it so
        pass


def test_the_demo_needs_nothing_of_ones_own(tmp_path: Path) -> None:
    result = run("demo", "--save", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "no building site" in " ".join(result.stdout.split())
    assert "grace_hopper.jpg" in result.stdout.replace("\n", "")
    assert (tmp_path / "out" / "grace_hopper.jpg").is_file()
    assert "Saved" in result.stderr


def test_the_demo_finds_a_person_with_the_real_weights(tmp_path: Path) -> None:
    real_weights()
    result = run("demo", "--save", tmp_path / "out", see=None, PPE_THREADS="1")
    assert result.exit_code == 0, result.output
    assert "#0" in result.stdout


def test_the_demo_takes_ones_own_file(tmp_path: Path) -> None:
    result = run("demo", photo(tmp_path / "in" / "site.jpg"), "--save", tmp_path / "out")
    assert result.exit_code == 0
    assert "no building site" not in result.stdout
    assert "2 people" in result.stdout
    assert (tmp_path / "out" / "site.jpg").is_file()


def test_the_demo_watches_an_address(tmp_path: Path) -> None:
    film(tmp_path / "film.mp4", pictures=50, rate=10)
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://me:secret@127.0.0.1:{server.server_port}/film.mp4?token=secret"
        result = run("demo", url, "--seconds", "2", "--save", tmp_path / "out")
        server.shutdown()
    assert result.exit_code == 0, result.output
    assert "3 pictures, 6 people" in result.stdout
    assert "secret" not in result.output
    assert (tmp_path / "out" / "camera.mp4").is_file()


@pytest.mark.parametrize(
    ("source", "words", "code"),
    [
        ("http://me:secret@127.0.0.1:9/x", "http://127.0.0.1:9/x: nothing that can be watched", 1),
        ("987", "camera 987: this camera can't be opened", 1),
        ("ftp://127.0.0.1/x", "address begins with", 2),
        ("nowhere.jpg", "nowhere.jpg: this file can't be read", 1),
    ],
)
def test_what_can_not_be_watched_is_told(tmp_path: Path, source: str, words: str, code: int) -> None:
    result = run("demo", source, "--save", tmp_path)
    assert result.exit_code == code
    assert words in result.stderr
    assert "secret" not in result.output
