"""Errors of the client."""

from __future__ import annotations

import sys
from typing import Any, Optional, Sequence

#: What MLflow Recipes raised, and old code catches: where MLflow is loaded, which it is after `import mlflow.recipes`.
_Base: Any = getattr(sys.modules.get("mlflow.exceptions"), "MlflowException", Exception)


class MillraceRecipeError(_Base):
    """A recipe could not be read or run, or one of its steps failed; an ``MlflowException`` beside MLflow.

    Its text has all that there is to know: step, message, the lines of the user's own code, and what to do.
    """

    def __init__(
        self,
        message: str,
        step: Optional[str] = None,
        hint: Optional[str] = None,
        code: str = "internal",
        run: Optional[str] = None,
        violations: Sequence[dict[str, Any]] = (),
        stack: Optional[str] = None,
    ) -> None:
        super().__init__(message)
        #: What is wrong; of a failed step with file and line of the user's own code.
        self.message = message
        #: Step that failed, or ``None``.
        self.step = step
        #: What to do about it, or ``None``.
        self.hint = hint
        #: Code of Millrace's errors: ``invalid``, ``not_found``, ``failed_precondition`` …
        self.code = code
        #: MLflow's name for it, as its own exceptions have one.
        self.error_code = "INVALID_PARAMETER_VALUE" if code == "invalid" else "INTERNAL_ERROR"
        #: Id of the run that failed, or ``None``.
        self.run = run
        #: What is wrong field by field: ``path`` and ``message`` of each.
        self.violations = list(violations)
        #: The way to the error through the user's own files, a frame a line, innermost last; or ``None``.
        self.stack = stack

    def __str__(self) -> str:
        lines = [self.message if self.step is None else f"step {self.step} failed: {self.message}"]
        # A single violation is the message already.
        if len(self.violations) > 1:
            lines += [f"  {each.get('path')}: {each.get('message')}" for each in self.violations]
        lines += [f"  {frame}" for frame in (self.stack or "").splitlines()]
        if self.hint:
            lines.append(self.hint)
        return "\n".join(lines)
