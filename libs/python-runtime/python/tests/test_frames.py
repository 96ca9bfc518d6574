"""Frames: what is sent is read again, whatever its size and values."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import threading

import numpy as np
import pytest

from millrace.worker.frames import FrameChannel, encode


@pytest.fixture()
def channels():
    """Two ends of an exchange."""
    first, second = os.pipe(), os.pipe()
    return FrameChannel(first[0], second[1]), FrameChannel(second[0], first[1])


def test_a_frame_arrives_as_it_was_sent(channels):
    left, right = channels
    left.send({"type": "result", "output": {"ü": [1, None]}}, b"\x00\x01")
    assert right.read() == ({"type": "result", "output": {"ü": [1, None]}}, b"\x00\x01")


def test_a_payload_larger_than_a_pipe_arrives_whole(channels):
    left, right = channels
    payload = os.urandom(3_000_000)
    thread = threading.Thread(target=left.send, args=({"type": "result"}, payload))
    thread.start()
    assert right.read() == ({"type": "result"}, payload)
    thread.join()


def test_frames_of_many_threads_do_not_mix(channels):
    left, right = channels
    threads = [threading.Thread(target=left.send, args=({"id": n}, bytes([n]) * 50_000)) for n in range(8)]
    for thread in threads:
        thread.start()
    frames = [right.read() for _ in threads]
    for thread in threads:
        thread.join()
    assert sorted(header["id"] for header, _ in frames) == list(range(8))
    assert all(payload == bytes([header["id"]]) * 50_000 for header, payload in frames)


def test_a_closed_end_is_told_by_none(channels):
    left, right = channels
    os.close(left._output)
    assert right.read() is None


def test_values_of_numpy_and_the_standard_library_are_written_as_what_they_hold():
    value = {
        "int": np.int64(3),
        "float": np.float32(0.5),
        "array": np.array([1.0, 2.0]),
        "day": datetime.date(2024, 2, 29),
        "path": pathlib.Path("a/b"),
        "set": {"b", "a"},
    }
    assert json.loads(encode(value)) == {
        "int": 3,
        "float": 0.5,
        "array": [1.0, 2.0],
        "day": "2024-02-29",
        "path": "a/b",
        "set": ["a", "b"],
    }


def test_what_json_has_no_number_for_is_null():
    value = {"nan": float("nan"), "inf": [np.inf, 1.5], "array": np.array([np.nan, 1.0]), "flag": True, "text": "x"}
    assert json.loads(encode(value)) == {
        "nan": None,
        "inf": [None, 1.5],
        "array": [None, 1.0],
        "flag": True,
        "text": "x",
    }


def test_a_value_that_json_cannot_hold_is_refused_by_the_name_of_its_type():
    with pytest.raises(TypeError, match="type object"):
        encode({"x": object()})
