"""Millrace inside a project's Python environment.

Importing this package must stay cheap: every worker process does it before anything else.
"""
