"""What is said of an exception: where in the user's files, and what to do."""

from __future__ import annotations

import importlib.util
import textwrap

import pytest

from millrace.errors import UserError
from millrace.worker.hints import hint_for
from millrace.worker.spans import SpanRecorder
from millrace.worker.thrown import describe

TRACEPARENT = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


@pytest.fixture()
def raised(tmp_path):
    """Runs a module of the user's and describes what it raises."""

    def run(source: str):
        path = tmp_path / "steps.py"
        path.write_text(textwrap.dedent(source))
        spec = importlib.util.spec_from_file_location("steps", path)
        try:
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
        except BaseException as thrown:
            return describe(thrown, str(tmp_path))
        raise AssertionError("nothing was raised")

    return run


def test_it_names_the_innermost_line_of_the_users(raised):
    described = raised(
        """
        import json
        def load():
            return json.loads("{")
        load()
        """
    )
    assert described["kind"] == "user"
    assert described["exception"] == "json.decoder.JSONDecodeError"
    assert (described["file"], described["line"]) == ("steps.py", 4)
    assert described["frames"] == ['steps.py:5 in <module>: load()', 'steps.py:4 in load: return json.loads("{")']


def test_compiled_code_of_a_library_is_not_the_users_own(raised):
    described = raised(
        """
        exec(compile("raise ValueError('length')", "pandas/_libs/properties.pyx", "exec"))
        """
    )
    assert (described["file"], described["line"]) == ("steps.py", 2)
    assert len(described["frames"]) == 1


def test_an_exception_whose_text_fails_is_described_all_the_same(raised):
    described = raised(
        """
        class Odd(Exception):
            def __str__(self):
                raise ValueError("odd")
        raise Odd()
        """
    )
    assert described["exception"] == "steps.Odd"
    assert described["message"] == "(its text could not be made)"


def test_a_very_long_message_is_cut(raised):
    assert len(raised("raise ValueError('x' * 100_000)")["message"]) == 8_000


def test_a_circle_of_causes_ends(raised):
    described = raised(
        """
        first, second = ValueError("first"), ValueError("second")
        second.__cause__ = first
        first.__cause__ = second
        raise first
        """
    )
    assert described["message"] == "first"


def test_an_error_of_the_user_carries_field_and_hint(tmp_path):
    try:
        raise UserError("three numbers are needed", "steps.split.split_ratios", "Give three.")
    except UserError as thrown:
        described = describe(thrown, str(tmp_path))
    assert described["kind"] == "user"
    assert described["path"] == "steps.split.split_ratios"
    assert described["hint"] == "Give three."
    assert "file" not in described


def test_a_defect_of_ours_is_told_as_such(tmp_path):
    try:
        describe(None, str(tmp_path))
    except AttributeError as thrown:
        assert describe(thrown, str(tmp_path))["kind"] == "worker"


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (ModuleNotFoundError("No module named 'yaml.x'", name="yaml.x"), "Add `pyyaml` to requirements.txt."),
        (ModuleNotFoundError("No module named 'xgboost'", name="xgboost"), "Add `xgboost` to requirements.txt."),
        (AttributeError("'DataFrame' object has no attribute 'append'"), "pandas 2 took it away"),
        (TypeError("XGBClassifier.fit() got an unexpected keyword argument 'callbacks'"), "XGBoost 2.1 took it away"),
        (ValueError("anything"), None),
    ],
)
def test_known_errors_come_with_what_to_do(error, hint):
    found = hint_for(error, str(error))
    assert found is None if hint is None else found.startswith(hint)


def test_spans_nest_below_the_parents(monkeypatch):
    sent: list = []
    recorder = SpanRecorder(TRACEPARENT, sent.append)
    with pytest.raises(ValueError), recorder.span("outer"):
        with recorder.span("inner", {"rows": 1}):
            pass
        raise ValueError("no")
    inner, outer = sent
    assert inner["parentSpanId"] == outer["spanId"]
    assert outer["parentSpanId"] == "b" * 16
    assert outer["error"] == "ValueError: no"
    assert inner["start"] <= inner["end"]


@pytest.mark.parametrize("traceparent", [None, "", "nonsense", TRACEPARENT[:-1] + "0"])
def test_without_a_recorded_parent_there_are_no_spans(traceparent):
    sent: list = []
    with SpanRecorder(traceparent, sent.append).span("outer"):
        pass
    assert sent == []
