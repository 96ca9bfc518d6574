"""Millrace's Python side: the worker that runs recipe steps, the step logic and model packages."""
