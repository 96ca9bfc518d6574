"""Writes a trained recipe as a model directory in MLflow's format.

It holds no time, run id or path, so that the same data, code, lock and seed give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import platform
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Mapping, Optional, Sequence

from millrace.errors import UserError
from millrace.models.onnx import ONNX_FILE, PARITY_FILE, convert
from millrace.models.pickle_scan import scan_directory
from millrace.models.pickles import write_pickle
from millrace.models.recipe_model import LOADER_FILE, LOADER_MODULE, loader_module
from millrace.models.signature import millrace_signature, mlflow_signature
from millrace.models.yaml_text import yaml_text
from millrace.recipes.frames import json_value

if TYPE_CHECKING:
    import pandas as pd

EXAMPLE_ROWS = 5
PICKLE_REPORT_FILE = "pickle_scan.json"


@dataclass(frozen=True)
class PackageContent:
    """What goes into the package of a trained recipe."""

    #: Fitted scikit-learn pipeline of the transformer and the estimator.
    pipeline: Any
    #: Raw training rows without the target: signature and example come from them.
    features: pd.DataFrame
    task: str
    target: str
    positive_class: Any
    predict_prefix: str
    #: Whether predictions of a classifier come with the scores of all classes.
    scores: bool
    #: Root of the recipe's files, and those to be bundled, relative to it.
    project: str
    code_files: Sequence[str]
    python_version: str
    #: Pinned packages, one line each.
    requirements: Sequence[str]
    #: Paths of the project's own packages as they were built, which the requirements name `wheels/<file name>`.
    wheels: Sequence[str] = ()
    #: Raw rows that the pipeline was not fitted on, to compare an ONNX form on; without them none is made.
    held_out: Optional[pd.DataFrame] = None
    #: Whether there must be an ONNX form: `auto`, `required` or `off`.
    onnx: str = "auto"


@dataclass(frozen=True)
class WrittenPackage:
    """What became of it."""

    #: Names of its flavors, sorted.
    flavors: list[str]
    #: How the ONNX form compares with the original, or why there is none; see `millrace.models.onnx`.
    onnx: dict[str, Any]
    #: What its pickles would import and call; see `millrace.models.pickle_scan`.
    pickles: dict[str, Any]


def write_package(directory: str, content: PackageContent) -> WrittenPackage:
    """Writes the model directory, replacing what was there.

    :raises UserError: when an ONNX form is required and there is none.
    """
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    module = loader_module()
    write_pickle(
        content.pipeline,
        os.path.join(directory, module.PIPELINE_FILE),
        content.project,
        "the trained model",
        "steps.train.estimator_method",
    )
    _write_code(directory, content)
    _write_environment(directory, content)
    model = module.RecipeModel(content.pipeline, content.predict_prefix, content.scores)
    signature = mlflow_signature(content.features, model.predict(content.features))
    description = _description(content)
    example = _input_example(content.features)
    _write_json(directory, "model.json", description)
    _write_json(directory, "signature.json", _own_signature(content, description["classes"]))
    _write_json(directory, "input_example.json", example)
    _write_json(directory, "serving_input_example.json", {"dataframe_split": example})
    onnx = _write_onnx(directory, content)
    pickles = scan_directory(directory, content.requirements)
    _write_json(directory, PICKLE_REPORT_FILE, pickles)
    flavors = _flavors(content)
    if onnx["added"]:
        flavors["onnx"] = _onnx_flavor()
    write_mlmodel(directory, flavors, signature, {**description, "onnx": onnx})
    return WrittenPackage(sorted(flavors), onnx, pickles)


def _write_onnx(directory: str, content: PackageContent) -> dict[str, Any]:
    if content.onnx == "off":
        return {"added": False, "reason": "it is switched off: steps.train.onnx is off"}
    held_out = content.features.iloc[:0] if content.held_out is None else content.held_out
    report = convert(content.pipeline, content.features, held_out, content.task, directory)
    if content.onnx == "required" and not report["added"]:
        raise UserError(
            f"the model has no ONNX form: {report['reason']}",
            "steps.train.onnx",
            "set it to auto to do without, or add skl2onnx and onnxruntime to the requirements",
        )
    _write_json(directory, PARITY_FILE, report)
    return report


def _onnx_flavor() -> dict[str, Any]:
    import onnx

    return {"data": ONNX_FILE, "onnx_version": onnx.__version__, "save_as_external_data": False}


def write_mlmodel(
    directory: str,
    flavors: Mapping[str, Any],
    signature: Mapping[str, Any],
    description: Mapping[str, Any],
) -> None:
    """Writes `MLmodel` last: its `model_uuid` derives from all other files."""
    metadata = {key: value for key, value in description.items() if key != "kind"}
    mlmodel = {
        "artifact_path": "model",
        "flavors": flavors,
        "metadata": {"millrace": metadata},
        "model_uuid": _content_id(directory, flavors),
        "saved_input_example_info": {
            "artifact_path": "input_example.json",
            "pandas_orient": "split",
            "serving_input_path": "serving_input_example.json",
            "type": "dataframe",
        },
        "signature": signature,
    }
    _write_text(directory, "MLmodel", yaml_text(mlmodel))


def _flavors(content: PackageContent) -> dict[str, Any]:
    import sklearn

    pipeline_file = loader_module().PIPELINE_FILE.replace(os.sep, "/")
    return {
        "python_function": {
            "loader_module": LOADER_MODULE,
            "code": "code",
            "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
            "python_version": content.python_version,
        },
        "sklearn": {
            "pickled_model": pipeline_file,
            "serialization_format": "cloudpickle",
            "sklearn_version": sklearn.__version__,
            "code": "code",
        },
    }


def _description(content: PackageContent) -> dict[str, Any]:
    """`model.json`: what a predictor, and the bundled loader, must know."""
    classes = getattr(content.pipeline, "classes_", None)
    return {
        "kind": "python",
        "task": content.task,
        "target": content.target,
        "classes": None if classes is None else [_plain(each) for each in classes],
        "positive_class": content.positive_class,
        "predict_prefix": content.predict_prefix,
        "scores": content.scores,
    }


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return value if isinstance(value, (bool, int, float, str)) else str(value)


def _own_signature(content: PackageContent, classes: Optional[list[Any]]) -> dict[str, Any]:
    return millrace_signature(content.features, content.target, content.task, classes)


def _input_example(features: pd.DataFrame) -> dict[str, Any]:
    """The first rows as pandas' `split`, as MLflow writes them: times as ISO 8601 text."""
    rows = features.head(EXAMPLE_ROWS)
    columns = [[_example_cell(each) for each in rows.iloc[:, i]] for i in range(rows.shape[1])]
    return {"columns": list(rows.columns), "data": [list(row) for row in zip(*columns)]}


def _example_cell(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if callable(isoformat) and value == value else json_value(value)


def _write_code(directory: str, content: PackageContent) -> None:
    code = os.path.join(directory, "code")
    os.makedirs(code)
    shutil.copyfile(LOADER_FILE, os.path.join(code, f"{LOADER_MODULE}.py"))
    for name in content.code_files:
        source = os.path.join(content.project, name)
        if not os.path.isfile(source):
            raise UserError(f"the file {name} of the recipe's code does not exist", None, None, name)
        destination = os.path.join(code, name)
        os.makedirs(os.path.dirname(destination), exist_ok=True)
        shutil.copyfile(source, destination)


def _write_environment(directory: str, content: PackageContent) -> None:
    requirements = list(content.requirements)
    lock = "".join(f"{line}\n" for line in requirements)
    _write_text(directory, "requirements.txt", lock)
    for path in content.wheels:
        os.makedirs(os.path.join(directory, "wheels"), exist_ok=True)
        shutil.copyfile(path, os.path.join(directory, "wheels", os.path.basename(path)))
    python_env = {
        "python": content.python_version,
        "build_dependencies": ["pip", "setuptools", "wheel"],
        "dependencies": ["-r requirements.txt"],
    }
    _write_text(directory, "python_env.yaml", yaml_text(python_env))
    conda = {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={content.python_version}", "pip", {"pip": requirements}],
    }
    _write_text(directory, "conda.yaml", yaml_text(conda))
    environment = {
        "python": content.python_version,
        "platform": _platform(),
        "requirements": requirements,
        "lockDigest": f"sha256:{hashlib.sha256(lock.encode()).hexdigest()}",
    }
    _write_json(directory, "environment.json", environment)


def _platform() -> str:
    """`linux-x64`, as the rest of Millrace writes it."""
    machine = platform.machine().lower()
    names = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}
    return f"{platform.system().lower()}-{names.get(machine, machine)}"


def _content_id(directory: str, flavors: Mapping[str, Any]) -> str:
    """32 hexadecimal digits, as MLflow's `model_uuid`, over all files and what `MLmodel` will say of them."""
    digest = hashlib.sha256()
    for name in package_files(directory):
        with open(os.path.join(directory, name), "rb") as file:
            content = hashlib.sha256(file.read()).hexdigest()
        digest.update(f"{name} {content}\n".encode())
    digest.update(json.dumps(flavors, sort_keys=True).encode())
    return digest.hexdigest()[:32]


def package_files(directory: str) -> list[str]:
    """Relative paths of the files below the directory, sorted; `MLmodel` left out."""
    found = []
    for root, _, names in os.walk(directory):
        for name in names:
            relative = os.path.relpath(os.path.join(root, name), directory).replace(os.sep, "/")
            if relative != "MLmodel":
                found.append(relative)
    return sorted(found)


def _write_json(directory: str, name: str, value: Any) -> None:
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    _write_text(directory, name, f"{text}\n")


def _write_text(directory: str, name: str, text: str) -> None:
    with open(os.path.join(directory, name), "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
