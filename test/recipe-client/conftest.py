"""Projects whose recipes a real Millrace runs: the one that ``MILLRACE_URL`` names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def project_of(variable: str) -> Path:
    """The project that the test was started for."""
    return Path(os.environ[variable])


@pytest.fixture
def taxi(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A regression project; the working directory is its folder of notebooks."""
    return _enter(monkeypatch, project_of("TAXI_PROJECT"))


@pytest.fixture
def wine(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A classification project, entered likewise."""
    return _enter(monkeypatch, project_of("WINE_PROJECT"))


def _enter(monkeypatch: pytest.MonkeyPatch, root: Path) -> Path:
    notebooks = root / "notebooks"
    notebooks.mkdir(exist_ok=True)
    monkeypatch.chdir(notebooks)
    return root
