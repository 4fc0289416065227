"""What all tests share: where the development datasets lie, and the switch that makes a skip a failure."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.postgres import postgres

__all__ = ["datasets", "logging_left_as_it_was", "postgres"]

ROOT = Path(__file__).parent.parent
DATASETS = Path(os.environ.get("PPE_TEST_DATA", ROOT.parent / "shared" / "data"))
THOROUGH = "takes long: --thorough runs it, and .ci/run does"
NO_DATASETS = "needs the development datasets (PPE_TEST_DATA), which are not there"

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("default"), max_examples=40)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="a skipped test fails (except for absent datasets)")
    parser.addoption("--thorough", action="store_true", help="run what takes long, too; --no-skips does")


def _is_thorough(config: pytest.Config) -> bool:
    return bool(config.getoption("--thorough") or config.getoption("--no-skips"))


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("default" if _is_thorough(config) else "quick")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not _is_thorough(config):
        for item in items:
            if item.get_closest_marker("thorough"):
                item.add_marker(pytest.mark.skip(reason=THOROUGH))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, object, None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and not hasattr(report, "wasxfail") and item.config.getoption("--no-skips"):
        reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if NO_DATASETS not in reason:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped, and --no-skips allows none: {reason}"


@pytest.fixture(scope="session")
def datasets() -> Path:
    """The folder with the development datasets, or a skip."""
    if not DATASETS.is_dir():
        pytest.skip(NO_DATASETS)
    return DATASETS


@pytest.fixture(autouse=True)
def logging_left_as_it_was() -> Iterator[None]:
    """A command that a test runs configures logging to that test's streams, which are closed soon after."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
