"""Cards in notebooks, as a real kernel shows them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

#: What nobody's data may do to a notebook.
ATTACK = "<script>alert('fare')</script>"

START = "from mlflow.recipes import Recipe\nrecipe = Recipe(profile='local')"


class Page(HTMLParser):
    """Elements of a page: name and attributes, in their order; and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts = ""
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        self.scripts += data if self._in_script else ""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The regression project with an attack among its data."""
    from conftest import project_of

    root = tmp_path_factory.mktemp("notebook") / "hostile"
    shutil.copytree(project_of("TAXI_PROJECT"), root, ignore=shutil.ignore_patterns(".millrace"))
    data = root / "data" / "taxi.csv"
    data.write_text(data.read_text().replace("harbour", ATTACK))
    (root / "notebooks").mkdir(exist_ok=True)
    return root


@pytest.fixture(scope="module")
def outputs(hostile: Path) -> list[list]:
    """What each cell of a notebook in the project showed."""
    cells = [START, "recipe.run('split')", "recipe.inspect('ingest')", "recipe.inspect()", "recipe.inspect('train')"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    directory = {"metadata": {"path": str(hostile / "notebooks")}}
    NotebookClient(notebook, kernel_name="python3", timeout=600, resources=directory).execute()
    return [cell.outputs for cell in notebook.cells]


def shown(cell: list) -> tuple[str, str]:
    """The only HTML that a cell shows, and the page inside its frame."""
    pages = [output.data["text/html"] for output in cell if output.output_type == "display_data"]
    assert len(pages) == 1
    frames = [attributes for tag, attributes in Page(pages[0]).elements if tag == "iframe"]
    assert len(frames) == 1
    return pages[0], frames[0]["srcdoc"] or ""


def test_a_run_tells_what_happens_and_shows_the_card_of_its_last_step(outputs):
    told = "".join(output.text for output in outputs[1] if output.output_type == "stream")
    assert "ingest" in told and "split" in told
    assert "split" in shown(outputs[1])[1]


@pytest.mark.parametrize("cell", [1, 2, 3])
def test_pages_are_shown_in_a_frame_that_runs_no_script(outputs, cell: int):
    outer, inner = shown(outputs[cell])
    assert [(tag, attributes.get("sandbox")) for tag, attributes in Page(outer).elements] == [("div", None), ("iframe", "")]
    assert inner.lower().startswith("<!doctype html>")
    assert not [output for output in outputs[cell] if output.get("name") == "stderr"]


def test_what_data_say_is_text(outputs):
    outer, inner = shown(outputs[2])
    assert ATTACK not in outer and ATTACK not in inner
    assert "&lt;script&gt;alert(" in inner
    assert "alert(" not in Page(inner).scripts


def test_a_step_that_has_not_run_is_told(outputs):
    assert "has not been run" in outputs[4][0].text


def test_an_ipython_without_pages_prints_where_they_are(hostile: Path):
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--colors=NoColor", "-c", f"{START}\nrecipe.inspect('split')"],
        cwd=hostile / "notebooks",
        capture_output=True,
        encoding="utf-8",
        timeout=600,
    )
    assert Path(done.stdout.strip()).name == "card.html", done.stderr
