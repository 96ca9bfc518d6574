from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np
import pandas as pd
import pytest

from millrace.errors import UserError
from millrace.models.pickles import read_pickle
from recipe_run import RecipeRun

TRANSFORMERS = """
import numpy as np
import pandas as pd
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.compose import ColumnTransformer

def none():
    return None

def scaled():
    return ColumnTransformer([("n", StandardScaler(), ["a", "b"])])

def sparse():
    return OneHotEncoder(sparse_output=True)

def nameless():
    return FunctionTransformer(lambda frame: np.asarray(frame[["a", "b"]]) * 2)

class Deleting:
    def fit(self, features, target):
        del features["c"]
        target.iloc[:] = 0
        return self

    def transform(self, features):
        del features["c"]
        return features

def deleting():
    return Deleting()

class Returning:
    def __init__(self, value):
        self.value = value

    def fit(self, features, target):
        return self

    def transform(self, features):
        return self.value(features)

def short():
    return Returning(lambda features: features.head(3))

def flat():
    return Returning(lambda features: features["a"].to_numpy())

def with_target():
    return Returning(lambda features: features.assign(y=0))

def no_transform():
    class Fits:
        def fit(self, features, target):
            return self
    return Fits()

def text():
    return "scale"

def locked():
    import threading
    returning = Returning(lambda features: features)
    returning.lock = threading.Lock()
    return returning
"""


@pytest.fixture
def recipe(project: Callable[..., str], tmp_path: Path) -> RecipeRun:
    rows = np.arange(200)
    data = pd.DataFrame(
        {"a": rows % 7, "b": rows / 3, "c": [f"t{i % 3}" for i in rows], "y": rows % 11 / 2}
    )
    run = RecipeRun(project(transform=TRANSFORMERS), tmp_path / "run", data)
    run.split()
    return run


@pytest.mark.parametrize("given", [{}, {"method": "none"}])
def test_without_transformer_nothing_changes(recipe: RecipeRun, given: dict[str, Any]) -> None:
    output = recipe.transform(**given)
    pd.testing.assert_frame_equal(recipe.frame("transformed_training_data"), recipe.frame("train"))
    assert output["feature_names"] == ["a", "b", "c"]
    assert output["input_schema"] == output["output_schema"]
    assert output["rows"]["validation"] == len(recipe.frame("validation"))


def test_names_come_from_the_transformer_and_the_target_comes_last(recipe: RecipeRun) -> None:
    recipe.transform("scaled")
    train, raw = recipe.frame("transformed_training_data"), recipe.frame("train")
    assert train.columns.tolist() == ["n__a", "n__b", "y"]
    expected = (raw["b"] - raw["b"].mean()) / raw["b"].std(ddof=0)
    np.testing.assert_allclose(train["n__b"], expected, atol=1e-12)
    assert train["y"].tolist() == raw["y"].tolist()
    validation = recipe.frame("transformed_validation_data")
    fitted_on_train = (recipe.frame("validation")["b"] - raw["b"].mean()) / raw["b"].std(ddof=0)
    np.testing.assert_allclose(validation["n__b"], fitted_on_train, atol=1e-12)


def test_columns_without_names_are_numbered(recipe: RecipeRun) -> None:
    assert recipe.transform("nameless")["feature_names"] == ["f_0", "f_1"]


def test_sparse_results_become_dense(
    project: Callable[..., str], tmp_path: Path
) -> None:
    rows = np.arange(200)
    data = pd.DataFrame({"c": [f"t{i % 3}" for i in rows], "y": rows % 11 / 2})
    run = RecipeRun(project(transform=TRANSFORMERS), tmp_path / "run", data)
    run.split()
    run.transform("sparse")
    frame = run.frame("transformed_training_data")
    assert frame.columns.tolist() == ["c_t0", "c_t1", "c_t2", "y"]
    assert (frame.iloc[:, :3].sum(axis=1) == 1).all()


def test_a_transformer_that_changes_its_input_gets_copies(recipe: RecipeRun) -> None:
    recipe.transform("deleting")
    frame = recipe.frame("transformed_training_data")
    assert frame.columns.tolist() == ["a", "b", "y"]
    assert frame["y"].tolist() == recipe.frame("train")["y"].tolist()


def test_the_pickle_transforms_alike(recipe: RecipeRun) -> None:
    recipe.transform("nameless")
    transformer = read_pickle(recipe.path("transformer.pkl"))
    raw = recipe.frame("validation").drop(columns=["y"])
    np.testing.assert_array_equal(
        transformer.transform(raw),
        recipe.frame("transformed_validation_data")[["f_0", "f_1"]].to_numpy(),
    )


def test_descriptions_hold_no_addresses(recipe: RecipeRun) -> None:
    assert " at 0x" not in recipe.transform("nameless")["description"]


ERRORS = {
    "text": "returned a str, which has no `fit` method",
    "no_transform": "which has no `transform` method",
    "short": r"`short` in steps/transform.py returned a transformer that gave 3 rows for",
    "flat": "gave a ndarray of 1 dimensions",
    "with_target": "gave a feature named as the target, `y`",
    "unknown": "steps/transform.py has no function `unknown`",
}


@pytest.mark.parametrize("method", sorted(ERRORS))
def test_errors_name_function_and_file(recipe: RecipeRun, method: str) -> None:
    with pytest.raises(UserError, match=ERRORS[method]) as thrown:
        recipe.transform(method)
    assert thrown.value.path == "steps.transform.transformer_method"
    assert thrown.value.file == "steps/transform.py"


def test_what_cannot_be_pickled_is_said(recipe: RecipeRun) -> None:
    with pytest.raises(UserError, match="the fitted transformer cannot be stored: .*lock"):
        recipe.transform("locked")


def test_sparse_results_that_are_too_large_are_refused(recipe: RecipeRun) -> None:
    from scipy import sparse

    from millrace.recipes import transform as step

    huge = sparse.csr_matrix((1_000_000, 1_000_000))
    with pytest.raises(UserError, match="too large to be written densely"):
        step._dense_array(huge, None)


def test_using_must_be_custom(recipe: RecipeRun) -> None:
    with pytest.raises(UserError, match="no way to transform"):
        recipe.transform(using="auto")
