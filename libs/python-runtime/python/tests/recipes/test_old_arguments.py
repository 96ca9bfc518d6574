"""What recipes written for older packages ask for."""

import subprocess
import sys

PROGRAM = """
import warnings
from millrace.worker import old_arguments

old_arguments.accept()
from sklearn.base import clone
from sklearn.preprocessing import OneHotEncoder

with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    encoder = OneHotEncoder(categories="auto", sparse=False)
assert encoder.sparse_output is False, encoder
assert [str(each.message)[:21] for each in seen if each.category is FutureWarning] == ["OneHotEncoder: sparse"], seen
assert clone(encoder).get_params()["sparse_output"] is False
assert "sparse" not in encoder.get_params()
assert OneHotEncoder(handle_unknown="ignore").sparse_output is True
old_arguments.accept()
assert OneHotEncoder(sparse=False).fit_transform([["a"], ["b"]]).tolist() == [[1.0, 0.0], [0.0, 1.0]]
print("accepted")
"""


OTHER_COLUMNS = """
import warnings
from millrace.worker import old_arguments

old_arguments.accept()
import pandas as pd
from sklearn.preprocessing import FunctionTransformer

def hours(table):
    table["hour"] = table["time"].dt.hour
    table.drop(columns=["time"], inplace=True)
    table["night"] = table["hour"] < 6
    return table

times = pd.DataFrame({"time": pd.to_datetime(["2020-01-01 03:00", "2020-01-01 12:00"])})
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    transformer = FunctionTransformer(hours, feature_names_out="one-to-one")
    made = transformer.fit_transform(times.copy())
assert made.to_dict("list") == {"hour": [3, 12], "night": [True, False]}, made
assert ["one-to-one" in str(each.message) for each in seen if each.category is FutureWarning] == [True], seen
same = FunctionTransformer(abs, feature_names_out="one-to-one").fit(pd.DataFrame({"a": [-1]}))
assert same.get_feature_names_out().tolist() == ["a"]
# Without this module, as where the model is loaded.
assert transformer.feature_names_out is None
print("accepted")
"""


def test_a_function_transformer_may_change_the_columns_whatever_it_says():
    ended = subprocess.run(
        [sys.executable, "-c", OTHER_COLUMNS], capture_output=True, text=True, check=False
    )
    assert ended.stdout == "accepted\n", ended.stderr


def test_the_encoder_takes_the_argument_that_scikit_learn_renamed():
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert ended.stdout == "accepted\n", ended.stderr
