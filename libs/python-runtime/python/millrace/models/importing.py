"""Looks at a model directory that MLflow wrote elsewhere: what it answers, and how that is to be read."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import TYPE_CHECKING, Any, Dict, Optional, Sequence

from millrace.errors import UserError
from millrace.models.classes import class_text, class_type
from millrace.models.serving import LABELS, POSITIVE_PROBABILITY, PROBABILITIES, ServedModel, flat, numbers

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_TASK_HINT = "Say what it is: --task regression, or --task classification with --classes no,yes."


def check_loader(directory: str, name: str) -> None:
    """:param name: the module that loads the model, as `MLmodel` says.
    :raises UserError: when neither the environment nor the model's own code has it.
    """
    code = os.path.join(directory, "code")
    sys.path.insert(0, code)
    try:
        found = importlib.util.find_spec(name) is not None
    except ImportError:  # of a package above it
        found = False
    finally:
        sys.path.remove(code)
    if found:
        return
    raise UserError(
        f"{name} is not in the model's environment",
        "MLmodel.flavors.python_function.loader_module",
        "It is of a flavor that its MLflow does not have: name the package that brings it in requirements.txt, "
        "or save the model as a custom pyfunc.",
    )


def describe(
    directory: str,
    signature: Dict[str, Any],
    example: pa.Table,
    task: Optional[str],
    classes: Optional[Sequence[str]],
) -> Dict[str, Any]:
    """Loads the model, lets it predict the example and reads the answer. Unpickles: only in a worker.

    :param signature: see ``ServedModel``.
    :param task: ``regression`` or ``classification``; ``None`` to find out.
    :param classes: as text, in the order of the model's probabilities; ``None`` to find out.
    :returns: ``{task, classes, output, type}``: what a predictor must know of the model's answers.
    :raises UserError: when the answer does not say which it is.
    """
    model = ServedModel(directory, signature, "regression")
    answer = model.predictor.predict(model.features_of(example))
    own = getattr(model.raw, "classes_", None) if model.classes else None
    if task is None:
        task = _task_of(answer, own)
    if task == "regression":
        numbers(answer)
        return {"task": task, "classes": None, "output": LABELS, "type": "number"}
    if own is not None:
        # Its own order is that of its probabilities.
        return {"task": task, "classes": model.classes, "output": LABELS, "type": class_type(own)}
    return {"task": task, **_classes_of(answer, classes)}


def _task_of(answer: Any, own_classes: Any) -> str:
    if own_classes is not None:
        return "classification"
    try:
        values = flat(answer)
    except UserError:
        raise UserError("the model answers with several numbers for each row", None, _TASK_HINT) from None
    if values.dtype.kind in "fiu":
        return "regression"
    raise UserError(f"the model answers with {values.dtype}, not with numbers", None, _TASK_HINT)


def _classes_of(answer: Any, classes: Optional[Sequence[str]]) -> Dict[str, Any]:
    """What the bare answer of a classifier is."""
    values = _matrix(answer)
    if values.dtype.kind == "f" and ((values >= 0) & (values <= 1 + 1e-6)).all():
        return _probabilities(values, classes)
    if values.shape[1] == 1 and values.dtype.kind != "f":
        return _labels(values[:, 0], classes)
    raise UserError(
        "the model answers with numbers that are neither labels nor probabilities",
        None,
        "Export it with its last activation (softmax or sigmoid), or wrap it in a custom pyfunc that returns labels.",
    )


def _probabilities(values: np.ndarray, classes: Optional[Sequence[str]]) -> Dict[str, Any]:
    width = values.shape[1]
    if width > 1 and (abs(values.sum(axis=1) - 1) > 1e-3).any():
        raise UserError("the model's probabilities do not sum to 1 in each row")
    count = max(width, 2)
    named = [str(position) for position in range(count)] if classes is None else list(classes)
    if len(named) != count:
        raise UserError(f"the model has {count} classes, but {len(named)} are named", "classes")
    output = POSITIVE_PROBABILITY if width == 1 else PROBABILITIES
    return {"classes": named, "output": output, "type": "integer" if classes is None else "string"}


def _labels(values: np.ndarray, classes: Optional[Sequence[str]]) -> Dict[str, Any]:
    if classes is None:
        raise UserError("the model answers with labels and does not say which there are", "classes", _TASK_HINT)
    unknown = sorted({class_text(value) for value in values} - set(classes))
    if unknown:
        raise UserError(f"the model answers {', '.join(unknown)}, which is no class that was named", "classes")
    return {"classes": list(classes), "output": LABELS, "type": class_type(values.tolist())}


def _matrix(answer: Any) -> np.ndarray:
    import numpy as np

    if isinstance(answer, dict) and len(answer) == 1:
        (answer,) = answer.values()
    values = np.asarray(getattr(answer, "to_numpy", lambda: answer)())
    return values.reshape(len(values), -1)
