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


def test_the_encoder_takes_the_argument_that_scikit_learn_renamed():
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert ended.stdout == "accepted\n", ended.stderr
