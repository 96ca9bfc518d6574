from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pandas as pd
import pytest

from millrace.errors import UserError
from millrace.jobs import split
from millrace.recipes.row_hash import row_hashes
from millrace.recipes.split import split_by_hash, split_frame
from millrace.recipes.step_input import StepInput
from millrace.recipes.testing import RecordedContext
from recipe_run import common
from split_cases import cases

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "split_reference.json").read_text()
)
CASES = cases()


@pytest.mark.parametrize("name", sorted(CASES))
def test_membership_and_order_equal_the_original(name: str) -> None:
    """REFERENCE was written by mlflow 2.22 (`make_split_reference.py`)."""
    case = CASES[name]
    data, target = case["data"], case["target"]
    known = data[data[target].notna().to_numpy()]
    at = np.flatnonzero(data[target].notna().to_numpy())
    if case["task"] == "regression":
        # By position: some tables repeat their labels.
        parts = split_by_hash(
            pd.DataFrame({"at": at}), row_hashes(known, 10), tuple(REFERENCE["ratios"])
        )
        found = [part["at"].tolist() for part in parts]
    else:
        labels = sorted(known[target].unique())
        binary = len(labels) == 2
        step = StepInput(
            ".",
            target,
            f"classification/{'binary' if binary else 'multiclass'}",
            labels[-1] if binary else None,
            42,
        )
        result = split_frame(data, step, {"split_ratios": REFERENCE["ratios"]})
        found = [
            data.index.get_indexer(frame.index).tolist() for frame in result.frames.values()
        ]
    expected = REFERENCE["cases"][name]
    assert found == [expected["train"], expected["validation"], expected["test"]]


def test_every_reference_case_is_compared() -> None:
    assert sorted(REFERENCE["cases"]) == sorted(CASES)


def test_objects_that_are_times_are_hashed_as_times() -> None:
    times = pd.Series(pd.date_range("2020-01-01", periods=30).as_unit("s"))
    as_objects = pd.DataFrame({"t": times.astype(object)})
    assert row_hashes(as_objects, 10).tolist() == row_hashes(pd.DataFrame({"t": times}), 10).tolist()


def data_of(rows: int = 200) -> pd.DataFrame:
    return pd.DataFrame({"x": np.arange(rows), "y": np.arange(rows) % 17 / 4})


@pytest.fixture
def run(
    project: Callable[..., str], tmp_path: Path, context: RecordedContext
) -> Callable[..., dict[str, Any]]:
    """Runs the job over `data` with the functions in `code` as `steps/split.py`."""

    def run_job(data: pd.DataFrame, code: str = "", **given: Any) -> dict[str, Any]:
        dataset = tmp_path / "dataset.parquet"
        data.to_parquet(dataset)
        root = project(split=code)
        return split.main(
            {**common(root), "dataset": str(dataset), "output_dir": str(tmp_path), **given}, context
        )

    return run_job


def written(tmp_path: Path) -> list[pd.DataFrame]:
    return [pd.read_parquet(tmp_path / f"{name}.parquet") for name in split_names]


split_names = ("train", "validation", "test")


def test_rows_keep_their_labels_and_are_counted(run: Any, tmp_path: Path) -> None:
    data = data_of().assign(y=lambda frame: frame["y"].where(frame["x"] % 10 != 0))
    output = run(data)
    frames = written(tmp_path)
    assert output["dropped"] == 20
    assert output["rows"] == {name: len(frame) for name, frame in zip(split_names, frames)}
    rejoined = pd.concat(frames).sort_index()
    pd.testing.assert_frame_equal(rejoined, data.dropna(), check_like=False)


def test_ratios_are_normalised(run: Any) -> None:
    by_parts = run(data_of(), split_ratios=[6, 2, 2])
    by_fractions = run(data_of(), split_ratios=[0.6, 0.2, 0.2])
    assert by_parts["rows"] == by_fractions["rows"]


def test_classes_are_counted_by_split(run: Any) -> None:
    data = data_of().assign(y=lambda frame: np.where(frame["x"] % 4 == 0, "a", "b"))
    output = run(data, task="classification/binary", positive_class="a")
    counts = [sum(counts.values()) for counts in output["classes"].values()]
    assert counts == list(output["rows"].values())
    assert set(output["classes"]["train"]) == {"a", "b"}


def test_custom_split_starts_labels_anew(run: Any, tmp_path: Path) -> None:
    code = """
        import pandas as pd
        def assign(df):
            df["x"] = 0  # its own copy
            names = ["TRAINING", "VALIDATION", "TEST"]
            return pd.Series([names[i % 3] for i in range(len(df))], index=df.index)
    """
    data = data_of().set_index(np.arange(200) * 2)
    run(data, code, using="custom", split_method="assign")
    for offset, frame in enumerate(written(tmp_path)):
        assert frame.index.tolist() == list(range(len(frame)))
        assert frame["x"].tolist() == data["x"].tolist()[offset::3]


def test_filter_takes_training_rows_only(run: Any, tmp_path: Path) -> None:
    plain = run(data_of())
    code = "def keep(df):\n    return df['x'] % 2 == 0\n"
    filtered = run(data_of(), code, post_split_filter_method="keep")
    assert (written(tmp_path)[0]["x"] % 2 == 0).all()
    assert filtered["rows"]["validation"] == plain["rows"]["validation"]
    assert filtered["rows"]["test"] == plain["rows"]["test"]
    assert filtered["filtered"] == plain["rows"]["train"] - filtered["rows"]["train"]


def test_post_split_method_comes_before_the_filter(run: Any, tmp_path: Path) -> None:
    code = """
        def process(train, validation, test):
            return train.head(9), validation.head(8), test.head(7)
        def keep(df):
            raise AssertionError("not called")
    """
    output = run(data_of(), code, post_split_method="process", post_split_filter_method="keep")
    assert output["rows"] == {"train": 9, "validation": 8, "test": 7}


def test_dotted_names_of_early_versions_are_found(run: Any) -> None:
    code = "def keep(df):\n    return df['x'] > 9\n"
    assert run(data_of(), code, post_split_filter_method="steps.split.keep")["filtered"] > 0


ERRORS = {
    "ratios": ({"split_ratios": [1, 0, 1]}, "three positive numbers", "steps.split.split_ratios"),
    "two ratios": ({"split_ratios": [1, 1]}, "three positive numbers", "steps.split.split_ratios"),
    "using": ({"using": "magic"}, "no way to split", "steps.split.using"),
    "no method": ({"using": "custom"}, "needs the function", "steps.split.split_method"),
    "unknown function": (
        {"using": "custom", "split_method": "nowhere"},
        r"steps/split.py has no function `nowhere`",
        "steps.split.split_method",
    ),
    "too few": ({"split_ratios": [998, 1, 1]}, "at least 4 rows", "steps.split"),
    "no target": ({"target_col": "z"}, "the target column `z` is not in the data", "target_col"),
    "list": (
        {"using": "custom", "split_method": "gives_list"},
        "`gives_list` in steps/split.py returned a list, not a Series",
        "steps.split.split_method",
    ),
    "short": (
        {"using": "custom", "split_method": "gives_short"},
        "returned 3 values for 200 rows",
        "steps.split.split_method",
    ),
    "values": (
        {"using": "custom", "split_method": "gives_values"},
        "no split: 'TRAIN'",
        "steps.split.split_method",
    ),
    "filter": (
        {"post_split_filter_method": "gives_numbers"},
        "returned values other than True and False",
        "steps.split.post_split_filter_method",
    ),
    "filter of nothing": (
        {"post_split_filter_method": "gives_nothing"},
        "returned nothing",
        "steps.split.post_split_filter_method",
    ),
    "two tables": (
        {"post_split_method": "gives_two"},
        "returned a tuple",
        "steps.split.post_split_method",
    ),
    "columns": (
        {"post_split_method": "gives_columns"},
        "changed the columns of the train split",
        "steps.split.post_split_method",
    ),
    "missing target": (
        {"post_split_method": "gives_missing_target"},
        "`y` is missing in 1 of",
        "steps.split",
    ),
}

BAD_FUNCTIONS = """
import pandas as pd

def gives_list(df):
    return ["TRAINING"] * len(df)

def gives_short(df):
    return pd.Series(["TRAINING"] * 3)

def gives_values(df):
    return pd.Series(["TRAIN"] * len(df), index=df.index)

def gives_numbers(df):
    return df["x"] % 2

def gives_nothing(df):
    pass

def gives_two(train, validation, test):
    return train, test

def gives_columns(train, validation, test):
    return train.assign(z=1), validation, test

def gives_missing_target(train, validation, test):
    train.iloc[0, 1] = None
    return train, validation, test
"""


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_errors_name_the_field(run: Any, name: str) -> None:
    given, message, path = ERRORS[name]
    with pytest.raises(UserError, match=message) as thrown:
        run(data_of(), BAD_FUNCTIONS, **given)
    assert thrown.value.path == path


def test_errors_about_functions_give_file_and_line(run: Any) -> None:
    with pytest.raises(UserError) as thrown:
        run(data_of(), BAD_FUNCTIONS, using="custom", split_method="gives_short")
    assert thrown.value.file == "steps/split.py"
    line = thrown.value.line
    assert line is not None
    assert BAD_FUNCTIONS.splitlines()[line - 1].startswith("def gives_short")


def test_what_a_function_raises_passes_through(run: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        run(data_of(), "def keep(df):\n    1 / 0\n", post_split_filter_method="keep")


def test_two_classes_need_a_positive_one(run: Any) -> None:
    data = data_of().assign(y=lambda frame: frame["x"] % 2)
    with pytest.raises(UserError, match="no `positive_class`"):
        run(data, task="classification/multiclass")
    with pytest.raises(UserError, match=r"`positive_class` 1 \(text\) is no class .* 1 \(number\)"):
        run(data, task="classification/binary", positive_class="1")
    three = data_of().assign(y=lambda frame: frame["x"] % 3)
    with pytest.raises(UserError, match="has 3 classes"):
        run(three, task="classification/binary", positive_class=1)
    with pytest.raises(UserError, match="at least two classes"):
        run(data_of().assign(y="a"), task="classification/multiclass")
