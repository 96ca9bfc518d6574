"""A recipe project, a command that stands for ``millrace``, and Pythons that start with the hook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

LIBRARY = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a profile; the working directory is a folder below it."""
    root = tmp_path / "wines"
    (root / "profiles").mkdir(parents=True)
    (root / "notebooks").mkdir()
    (root / "recipe.yaml").write_text('recipe: "classification/v1"\ntarget_col: "kind"\n')
    (root / "profiles" / "local.yaml").write_text("A: 1\n")
    monkeypatch.chdir(root / "notebooks")
    for name in ("MLFLOW_RECIPES_PROFILE", "MLFLOW_PIPELINES_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return root


class Fake:
    """The command that stands for ``millrace``."""

    def __init__(self, directory: Path) -> None:
        self._answer = directory / "answer.json"
        self._calls = directory / "calls.jsonl"
        self.environment = {
            "MILLRACE_COMMAND": f"{sys.executable} {Path(__file__).with_name('fake_millrace.py')}",
            "FAKE_ANSWER": str(self._answer),
            "FAKE_CALLS": str(self._calls),
        }
        self.answers()

    def answers(self, **answer: Any) -> None:
        """What it says from now on."""
        self._answer.write_text(json.dumps(answer))

    @property
    def calls(self) -> list[dict[str, Any]]:
        """What it was called with, oldest first."""
        return [json.loads(line) for line in self._calls.read_text().splitlines()]


@pytest.fixture
def millrace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Is found as the command."""
    fake = Fake(tmp_path)
    for name, value in fake.environment.items():
        monkeypatch.setenv(name, value)
    return fake


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs code in a Python that starts with the hook, as in an environment that Millrace built."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "millrace.pth").write_text(f"{LIBRARY}\nimport millrace_hook\n")
    # Directories of PYTHONPATH are not searched for .pth files.
    (site / "sitecustomize.py").write_text(f"import site\nsite.addsitedir({str(site)!r})\n")

    def run(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env={**os.environ, **environment, "PYTHONPATH": str(site)},
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )

    return run
