from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pandas as pd
import pytest

from millrace.errors import UserError
from millrace.jobs import ingest
from millrace.recipes.testing import RecordedContext
from recipe_run import common

LOADERS = """
import pathlib
import pandas as pd

def one_argument(path):
    return pd.read_csv(path)

def two_arguments(path, file_format):
    frame = pd.read_csv(path)
    frame["seen"] = f"{type(path).__name__} {file_format} {pathlib.Path(path).name}"
    return frame

def any_arguments(*given):
    assert len(given) == 2
    return pd.read_csv(given[0])

def unsupported(path, file_format):
    raise NotImplementedError

def gives_list(path):
    return [1]

def fails(path):
    raise KeyError("column")

def two_of_a_name(path):
    return pd.DataFrame([[1, 2]], columns=["y", "y"])

def unnamed(path):
    return pd.DataFrame({0: [1], "y": [2]})

def mixed(path):
    return pd.DataFrame({"x": [1, "a"], "y": [1, 2]})
"""


@pytest.fixture
def run(
    project: Callable[..., str], tmp_path: Path, context: RecordedContext
) -> Callable[..., dict[str, Any]]:
    """Runs the job over files with these names, each a table of its own."""

    def run_job(names: list[str], single: bool = False, **given: Any) -> dict[str, Any]:
        directory = tmp_path / "files"
        directory.mkdir(exist_ok=True)
        files = []
        for i, name in enumerate(names):
            frame = pd.DataFrame({"x": [i, i], "y": [0.5, 1.5]})
            path = directory / name
            if name.endswith(".parquet"):
                frame.to_parquet(path)
            else:
                frame.to_csv(path, index=False)
            files.append({"path": str(path), "name": name})
        output = str(tmp_path / "out" / "dataset.parquet")
        root = project(ingest=LOADERS)
        job_input = {
            **common(root),
            "files": files,
            "single_file": single,
            "training": True,
            "output": output,
            **given,
        }
        return {**ingest.main(job_input, context), "frame": pd.read_parquet(output)}

    return run_job


def test_files_are_read_by_name_and_keep_their_labels(run: Any) -> None:
    output = run(["b.parquet", "a.parquet", "c.csv"], using="parquet")
    assert output["frame"]["x"].tolist() == [1, 1, 0, 0]
    assert output["frame"].index.tolist() == [0, 1, 0, 1]
    assert output["index_columns"] == ["__index_level_0__"]
    assert output["columns"][0] == {"name": "x", "type": "int64"}
    assert output["rows"] == 4


def test_plain_ranges_are_not_stored(run: Any) -> None:
    assert run(["a.parquet"], single=True, using="parquet")["index_columns"] == []


@pytest.mark.parametrize("loader", ["one_argument", "two_arguments", "any_arguments"])
def test_loaders_take_the_path_and_maybe_the_format(run: Any, loader: str) -> None:
    frame = run(["a.csv"], single=True, using="csv", loader_method=loader)["frame"]
    assert frame["x"].tolist() == [0, 0]
    if loader == "two_arguments":
        assert frame["seen"].unique().tolist() == ["str csv a.csv"]


def test_files_of_a_directory_are_paths(run: Any) -> None:
    frame = run(["a.csv", "b.txt"], using="csv", loader_method="two_arguments")["frame"]
    assert frame["seen"].str.endswith("Path csv a.csv").all()


def test_custom_takes_every_file(run: Any) -> None:
    output = run(["a.csv", "b.txt"], using="custom", loader_method="one_argument")
    assert output["rows"] == 4
    assert run(["b.txt"], single=True, using="custom", loader_method="one_argument")["rows"] == 2


def test_scoring_needs_no_target(run: Any) -> None:
    assert run(["a.parquet"], using="parquet", training=False, target_col="z")["rows"] == 2


ERRORS = {
    "no format": ({"using": None}, "format of the data is missing", "using"),
    "spark": ({"using": "spark_sql"}, "needs a Spark session", "using"),
    "delta": ({"using": "delta"}, "needs the package `deltalake`", "using"),
    "no file": ({"using": "parquet"}, "no file ends in .parquet", "location"),
    "no loader": ({"using": "csv"}, "needs a function that loads it", "loader_method"),
    "unknown": (
        {"using": "csv", "loader_method": "nope"},
        "steps/ingest.py has no function `nope`",
        "loader_method",
    ),
    "unsupported": (
        {"using": "csv", "loader_method": "unsupported"},
        "does not support the format `csv` of a.csv",
        "loader_method",
    ),
    "list": (
        {"using": "csv", "loader_method": "gives_list"},
        "`gives_list` in steps/ingest.py returned a list, not a DataFrame",
        "loader_method",
    ),
    "mixed": (
        {"using": "csv", "loader_method": "mixed"},
        "cannot be written as Parquet",
        None,
    ),
    "unnamed": (
        {"using": "csv", "loader_method": "unnamed"},
        "names are not text: 0",
        None,
    ),
}


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_errors_name_the_field(run: Any, name: str) -> None:
    given, message, key = ERRORS[name]
    with pytest.raises(UserError, match=message) as thrown:
        run(["a.csv"], **given)
    assert thrown.value.path == ("steps.ingest" if key is None else f"steps.ingest.{key}")


def test_a_single_file_carries_its_extension(run: Any) -> None:
    with pytest.raises(UserError, match="does not end in .csv"):
        run(["a.txt"], single=True, using="csv", loader_method="one_argument")


def test_files_of_the_same_name_are_refused(
    run: Any, project: Callable[..., str], tmp_path: Path, context: RecordedContext
) -> None:
    files = [{"path": f"/{i}/a.parquet", "name": "a.parquet"} for i in range(2)]
    with pytest.raises(UserError, match="several locations have a file named a.parquet"):
        run([], using="parquet", files=files)


def test_repeated_columns_are_refused(run: Any) -> None:
    with pytest.raises(UserError, match="y"):
        run(["a.csv"], using="csv", loader_method="two_of_a_name")


def test_a_missing_file_of_steps_is_named(run: Any, project: Callable[..., str]) -> None:
    with pytest.raises(UserError, match="steps/nowhere.py does not exist") as thrown:
        run(["a.csv"], using="csv", loader_method="steps.nowhere.load")
    assert thrown.value.file == "steps/nowhere.py"


def test_what_a_loader_raises_passes_through(run: Any) -> None:
    with pytest.raises(KeyError):
        run(["a.csv"], using="csv", loader_method="fails")


def test_classes_are_checked_without_missing_labels(run: Any, tmp_path: Path) -> None:
    mixed = tmp_path / "labels.parquet"
    pd.DataFrame({"y": ["a", None, "b"]}).to_parquet(mixed)
    files = [{"path": str(mixed), "name": "labels.parquet"}]
    given = {"using": "parquet", "files": files, "task": "classification/binary"}
    assert run([], positive_class="a", **given)["rows"] == 3
    with pytest.raises(UserError, match="is no class"):
        run([], positive_class="c", **given)
