"""Adds the jobs of the tests to those that a worker knows."""

import os

import millrace.jobs

millrace.jobs.__path__.append(os.path.join(os.path.dirname(__file__), "test_jobs"))
