"""Estimators of other packages than scikit-learn, as the last step of a pipeline that becomes ONNX."""

from __future__ import annotations

import copy
import io
import logging
from contextlib import contextmanager
from typing import Any, Dict, Iterator, Optional, Sequence

_OPSET = {"": 17, "ai.onnx.ml": 3}
#: The oldest that PyTorch exports.
_TORCH_OPSET = {"": 18, "ai.onnx.ml": 3}
_TREES = {
    "xgboost": ("XGBoost", "onnxmltools.convert.xgboost.operator_converters.XGBoost"),
    "lightgbm": ("LightGbm", "onnxmltools.convert.lightgbm.operator_converters.LightGbm"),
}


class NotConvertible(Exception):
    """Why there is no ONNX form."""


def opset_of(estimator: Any) -> Dict[str, int]:
    """The version of ONNX's operators that a pipeline with this last step is written in."""
    return _TORCH_OPSET if _is_network(estimator) else _OPSET


def convertible(estimator: Any) -> Any:
    """The estimator as its converter takes it: that of XGBoost knows features only by their numbers."""
    if _package(estimator) != "xgboost":
        return estimator
    changed = copy.deepcopy(estimator)
    changed.get_booster().feature_names = None
    return changed


def register_converter(estimator: Any) -> None:
    """Tells skl2onnx of the estimator when it is one that skl2onnx does not know by itself.

    :raises NotConvertible: when a package that it takes is not there.
    """
    if _is_network(estimator):
        _register(estimator, "Torch", _convert_network)
    elif _package(estimator) in _TREES:
        _register_trees(estimator)


def missing_package(error: ImportError) -> NotConvertible:
    """The reason for a converter that cannot be imported."""
    return NotConvertible(f"{error.name} is not in the environment; add it to the requirements")


def _package(estimator: Any) -> str:
    return type(estimator).__module__.split(".")[0]


def _is_network(estimator: Any) -> bool:
    """Whether it says how it becomes ONNX: `to_torch()` gives a module that turns the matrix of transformed features
    (`float32`) into predictions, or into a probability per class in the order of `classes_`.
    """
    return callable(getattr(estimator, "to_torch", None))


def _register_trees(estimator: Any) -> None:
    from importlib import import_module

    short, module = _TREES[_package(estimator)]
    try:
        _register(estimator, short, getattr(import_module(module), f"convert_{short.lower()}"))
    except ImportError as error:
        raise missing_package(error) from None


def _register(estimator: Any, short: str, convert_operator: Any) -> None:
    from skl2onnx import update_registered_converter
    from skl2onnx.common import shape_calculator

    classifies = hasattr(estimator, "predict_proba")
    shapes = (
        shape_calculator.calculate_linear_classifier_output_shapes
        if classifies
        else shape_calculator.calculate_linear_regressor_output_shapes
    )
    options: Optional[Dict[str, Sequence[Any]]] = (
        {"nocl": [True, False], "zipmap": [True, False, "columns"]} if classifies else None
    )
    name = f"Millrace{short}{type(estimator).__name__}"
    update_registered_converter(type(estimator), name, shapes, convert_operator, options=options)


def _convert_network(scope: Any, operator: Any, container: Any) -> None:
    """Called by skl2onnx: puts the operators of the exported network in place of the estimator."""
    from skl2onnx.common._apply_operation import apply_argmax, apply_cast, apply_reshape
    from skl2onnx.common.data_types import guess_proto_type

    (given,) = operator.inputs
    estimator, answer = operator.raw_operator, operator.outputs[-1]
    inputs, outputs = (scope.get_unique_variable_name(name) for name in ("network_inputs", "network_outputs"))
    # FLOAT of `TensorProto.DataType`.
    apply_cast(scope, given.full_name, inputs, container, to=1)
    _inline(_exported(estimator.to_torch(), given.type.shape[1]), inputs, outputs, scope, container)
    width = len(estimator.classes_) if hasattr(estimator, "predict_proba") else 1
    shaped = scope.get_unique_variable_name("network_answer")
    apply_reshape(scope, outputs, shaped, container, desired_shape=(-1, width))
    apply_cast(scope, shaped, answer.full_name, container, to=guess_proto_type(answer.type))
    if width > 1:
        apply_argmax(scope, shaped, operator.outputs[0].full_name, container, axis=1, keepdims=0)


def _exported(network: Any, width: int) -> Any:
    """The graph of a module that takes a matrix with this many columns."""
    import torch

    try:
        import onnx
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise missing_package(error) from None
    buffer = io.BytesIO()
    with _quiet():
        torch.onnx.export(
            copy.deepcopy(network).cpu().eval(),
            (torch.zeros(2, width),),
            buffer,
            dynamic_shapes=({0: torch.export.Dim("rows")},),
            opset_version=_TORCH_OPSET[""],
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    return onnx.load_from_string(buffer.getvalue()).graph


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps what the exporter says of packages that nobody asked for out of the user's output."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _inline(graph: Any, inputs: str, outputs: str, scope: Any, container: Any) -> None:
    names = {graph.input[0].name: inputs, graph.output[0].name: outputs, "": ""}

    def name_of(name: str) -> str:
        if name not in names:
            names[name] = scope.get_unique_variable_name(f"network_{name}")
        return names[name]

    for tensor in graph.initializer:
        tensor.name = name_of(tensor.name)
        # Where it was made: a path of this machine.
        tensor.ClearField("metadata_props")
        container.initializers.append(tensor)
    for node in graph.node:
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            raise NotConvertible("its network branches or loops by its data")
        node.input[:] = [name_of(each) for each in node.input]
        node.output[:] = [name_of(each) for each in node.output]
        node.name = scope.get_unique_operator_name(node.op_type)
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
        container.node_domain_version_pair_sets.add((node.domain, _TORCH_OPSET[""]))
        container.nodes.append(node)
