"""The wheel: it holds what the service needs, and works from anywhere once it is installed."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests.conftest import ROOT

WEIGHTS = ROOT / "weights"
MOST_BYTES = 25 * 1000 * 1000
NO_WEIGHTS = "needs the project's weights, which are not there"


def build(out: Path) -> subprocess.CompletedProcess[str]:
    """Build the wheel with what this environment has; the build writes nothing into the checkout."""
    if importlib.util.find_spec("hatchling"):
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    elif importlib.util.find_spec("build"):
        command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(out)]
    else:
        pytest.skip("neither hatchling nor build is installed (extra: dev)")
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (WEIGHTS / "manifest.json").is_file():
        pytest.skip(NO_WEIGHTS)
    out = tmp_path_factory.mktemp("dist")
    done = build(out)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, installed into an empty folder."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
    options = ["--disable-pip-version-check", "--root-user-action=ignore", "--target", str(target)]
    done = subprocess.run([*pip, *options, str(wheel)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def from_there(installed: Path, elsewhere: Path, script: str) -> str:
    """Run a script against the installed package, from a folder that has nothing to do with either."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("PPE_")}
    environment = {**known, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=elsewhere, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_holds_every_module_of_the_package(names: set[str]) -> None:
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "service").rglob("*.py")}
    assert modules <= names


def test_it_holds_weights_cards_and_truth(names: set[str]) -> None:
    files = json.loads((WEIGHTS / "manifest.json").read_text(encoding="utf-8"))["files"]
    weights = {f"service/_weights/{name}" for name in ["manifest.json", *(entry["file"] for entry in files.values())]}
    assert weights <= names
    assert {Path(entry["file"]).suffix for entry in files.values()} == {".onnx", ".pt"}
    shipped = {path.relative_to(ROOT / "datasets") for path in (ROOT / "datasets").rglob("*") if path.is_file()}
    assert {f"service/_datasets/{path}" for path in shipped} <= names


def test_it_holds_everything_else_that_the_service_reads(names: set[str]) -> None:
    """Migrations and whatever else lies in the package and is no Python: templates, pages, styles."""
    assert any(name.startswith("service/store/migrations/") for name in names)
    others = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "service").rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc", ".part"}
    }
    assert others <= names


def test_it_holds_nothing_else(names: set[str]) -> None:
    roots = {name.split("/")[0] for name in names}
    assert roots == {"service", next(root for root in roots if root.endswith(".dist-info"))}
    assert not [name for name in names if name.endswith((".pyc", ".part", ".cache")) or "/." in name]
    pictures = {".jpg", ".jpeg", ".png", ".mp4", ".avi", ".webp"}
    assert {name for name in names if Path(name).suffix.lower() in pictures} == {"service/_weights/golden.png"}


def test_its_metadata_names_licence_command_and_light_dependencies(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (folder,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        licence = archive.read(f"{folder}/licenses/LICENSE").decode()
        metadata = Parser().parsestr(archive.read(f"{folder}/METADATA").decode())
        commands = archive.read(f"{folder}/entry_points.txt").decode()
    assert "GNU AFFERO GENERAL PUBLIC LICENSE" in licence
    assert metadata["License-Expression"] == "AGPL-3.0-only"
    assert "ppe = service.cli:app" in commands
    needed = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert not [line for line in needed if line.startswith(("torch", "ultralytics", "onnx>", "pytest"))]


def test_installed_it_finds_and_verifies_its_own_weights(installed: Path, tmp_path: Path) -> None:
    script = """
from service.detectors.manifest import read_weights
from service.settings import Settings, shipped
import service
print(service.__file__)
print(shipped("weights"))
print(Settings().weights)
print(read_weights(Settings().weights, "onnx").path)
print(read_weights(Settings().weights, "pt").path)
"""
    lines = from_there(installed, tmp_path, script).splitlines()
    assert len(lines) == 5
    assert all(Path(line).is_relative_to(installed / "service") for line in lines)


def test_installed_it_finds_its_cards_truth_and_migrations(installed: Path, tmp_path: Path) -> None:
    script = """
from service.lab.dataset.cards import read_card
from service.lab.truth import read_truth
from service.settings import shipped
cards = [read_card(path).name for path in sorted(shipped("datasets").glob("*.toml"))]
rows = [len(read_truth(shipped("datasets") / "truth" / f"{name}.jsonl")) for name in cards
        if (shipped("datasets") / "truth" / f"{name}.jsonl").is_file()]
print(len(cards), sum(rows))
from pathlib import Path
from service.store.store import Store
from service.worker.clock import SystemClock
store = Store(Path("store"), (), clock=SystemClock())
print("open:", store.open_alerts("gate"))
store.close()
"""
    cards, *_, empty = from_there(installed, tmp_path, script).splitlines()
    assert int(cards.split()[0]) == len(list((ROOT / "datasets").glob("*.toml")))
    assert int(cards.split()[1]) > 0
    assert empty == "open: []"


def test_installed_its_command_runs(installed: Path, tmp_path: Path) -> None:
    script = "import sys; sys.argv = ['ppe', 'dataset', 'cards']; from service.cli import app; app()"
    assert "construction-site-safety" in from_there(installed, tmp_path, script)


def test_every_weights_file_can_be_committed() -> None:
    if not WEIGHTS.is_dir():
        pytest.skip(NO_WEIGHTS)
    large = {path.name: path.stat().st_size for path in WEIGHTS.iterdir() if path.stat().st_size >= MOST_BYTES}
    assert large == {}
