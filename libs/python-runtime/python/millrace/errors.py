"""Errors that say what a user should change."""

from __future__ import annotations

from typing import Optional


class UserError(Exception):
    """Something in the user's recipe, code or data is wrong and will stay wrong until it is changed.

    :param message: what is wrong, one sentence.
    :param path: the field of the recipe that it is about, such as ``steps.split.split_ratios``.
    :param hint: what to do about it, one sentence.
    :param file: the user's file at fault, relative to the project.
    :param line: its line.
    """

    def __init__(
        self,
        message: str,
        path: Optional[str] = None,
        hint: Optional[str] = None,
        file: Optional[str] = None,
        line: Optional[int] = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.hint = hint
        self.file = file
        self.line = line
