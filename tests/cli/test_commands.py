from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.workers import run
from tests.conftest import ROOT


def test_version() -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("ppe-monitor ")


def test_without_a_command_it_explains_itself() -> None:
    assert "Usage: ppe" in run().output


@pytest.mark.parametrize("command", ["serve", "detect", "demo"])
def test_every_command_explains_itself_with_examples(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "Examples" in result.stdout
    assert "Exit codes" in result.stdout


@pytest.mark.parametrize("command", ["serve", "detect", "demo"])
def test_every_option_is_documented(command: str) -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    section = text.partition(f"\n## ppe {command}\n")[2].partition("\n## ")[0]
    help_text = run(command, "--help", COLUMNS="200").stdout
    options = {word.strip(",") for word in help_text.split() if word.startswith("--")} - {"--help"}
    assert options, help_text
    for option in options:
        assert f"`{option}" in section, f"docs/cli.md does not explain {option} of ppe {command}"


def test_help_comes_without_anything_heavy() -> None:
    script = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from service.cli import app\n"
        "assert CliRunner().invoke(app, ['detect', '--help']).exit_code == 0\n"
        "print([name for name in ('cv2', 'openvino', 'fastapi', 'supervision', 'torch') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"
