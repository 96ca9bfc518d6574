"""Projects with step functions, and jobs run in this process."""

from __future__ import annotations

import importlib.util
import sys
import textwrap
from pathlib import Path
from typing import Callable, Iterator

import pytest

PYTHON_ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PYTHON_ROOT))
sys.path.insert(0, str(PYTHON_ROOT / "tests" / "reference"))

from millrace.recipes.testing import RecordedContext  # noqa: E402

#: An environment for the worker's own tests need not have what recipes are made of.
collect_ignore_glob = [] if importlib.util.find_spec("sklearn") else ["test_*.py"]


@pytest.fixture(autouse=True)
def fresh_steps() -> Iterator[None]:
    """Every test imports the `steps` of its own project."""
    path = list(sys.path)
    yield
    sys.path[:] = path
    for name in [name for name in sys.modules if name.partition(".")[0] == "steps"]:
        del sys.modules[name]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Writes `steps/<name>.py` files and returns the project's root, which is the working directory."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)

    def write(**steps: str) -> str:
        (root / "steps").mkdir(exist_ok=True)
        for name, text in steps.items():
            (root / "steps" / f"{name}.py").write_text(textwrap.dedent(text))
        return str(root)

    return write


@pytest.fixture
def context() -> RecordedContext:
    return RecordedContext()
