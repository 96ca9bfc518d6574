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


SPELLINGS = """
import warnings
from millrace.worker import old_arguments

old_arguments.accept()
import numpy as np
from sklearn.base import clone
from sklearn.ensemble import AdaBoostClassifier, GradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

x = np.arange(40.0).reshape(20, 2)
y = (x[:, 0] > 17).astype(int)
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    old = [
        AdaBoostClassifier(base_estimator=DecisionTreeClassifier(max_depth=1)),
        GradientBoostingClassifier(loss="deviance", n_estimators=2),
        LogisticRegression(penalty="none"),
        RandomForestClassifier(max_features="auto", n_estimators=2),
        RandomForestRegressor(criterion="mse", max_features="auto", n_estimators=2),
        DecisionTreeRegressor(criterion="mae", max_features=1),
        SGDClassifier(loss="log", penalty="l2"),
    ]
changes = [str(each.message).split(" since")[0] for each in seen if each.category is FutureWarning]
assert changes == [
    "AdaBoostClassifier: base_estimator is called estimator",
    "GradientBoostingClassifier: loss='deviance' is spelled 'log_loss'",
    "LogisticRegression: penalty='none' is spelled None",
    "RandomForestClassifier: max_features='auto' is spelled 'sqrt'",
    "RandomForestRegressor: criterion='mse' is spelled 'squared_error'",
    "RandomForestRegressor: max_features='auto' is spelled 1.0",
    "DecisionTreeRegressor: criterion='mae' is spelled 'absolute_error'",
    "SGDClassifier: loss='log' is spelled 'log_loss'",
], changes
for estimator in old:
    clone(estimator).fit(x, y).predict(x)
print("accepted")
"""


def test_estimators_take_the_spellings_that_scikit_learn_took_away():
    ended = subprocess.run([sys.executable, "-c", SPELLINGS], capture_output=True, text=True, check=False)
    assert ended.stdout == "accepted\n", ended.stderr


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
