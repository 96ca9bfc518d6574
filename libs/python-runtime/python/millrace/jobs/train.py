"""Job `train`: a fitted, evaluated and packaged model."""

from __future__ import annotations

import os
from typing import Any


def main(given: dict[str, Any], context: Any) -> dict[str, Any]:
    """Writes `model/`, `predicted_training_data.parquet`, `best_parameters.yaml` and `warning_logs.txt`."""
    from millrace.recipes.estimator import inner_estimator
    from millrace.recipes.frames import read_frame
    from millrace.recipes.step_input import StepInput
    from millrace.recipes.train import Trainer, describe_estimator, estimator_params
    from millrace.recipes.user_warnings import collected_warnings

    step = StepInput.of(given)
    directory = given["output_dir"]
    os.makedirs(directory, exist_ok=True)
    training = read_frame(given["transformed_train"])
    validation = read_frame(given["transformed_validation"])
    with collected_warnings(step.project) as warned:
        try:
            trained = Trainer(step, given, _Context(context, warned)).run(training, validation)
            _write_best_parameters(trained, directory)
            package = _package(trained, given, step, context)
            context.progress(0.9, "model packaged")
            predicted = _predict_training_rows(given, step, directory)
        finally:
            warned.write(os.path.join(directory, "warning_logs.txt"))
    return {
        "params": estimator_params(inner_estimator(trained.model)),
        "metrics": trained.metrics,
        "trials": trained.trials,
        "best_parameters": trained.best.chosen or None,
        "estimator": describe_estimator(trained.model),
        "description": str(inner_estimator(trained.model)),
        "rows": {"training": len(training), "validation": len(validation)},
        "flavors": package.flavors,
        "onnx": package.onnx,
        "pickles": package.pickles["verdict"],
        **predicted,
        "warnings": warned.texts,
    }


class _Context:
    """The job's context, whose warnings are also kept with the user's."""

    def __init__(self, context: Any, warned: Any) -> None:
        self._context = context
        self._warned = warned

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def warn(self, text: str) -> None:
        self._warned.add(text)
        self._context.warn(text)


def _write_best_parameters(trained: Any, directory: str) -> None:
    from millrace.recipes.estimator import inner_estimator

    text = trained.best.as_yaml(inner_estimator(trained.model))
    with open(os.path.join(directory, "best_parameters.yaml"), "w", encoding="utf-8") as file:
        file.write(text)


def _package(trained: Any, given: dict[str, Any], step: Any, context: Any) -> Any:
    from sklearn.pipeline import make_pipeline

    from millrace.models.pickles import forget_timings, read_pickle
    from millrace.models.write import PackageContent, write_package
    from millrace.recipes.frames import read_frame

    context.activity("packaging the model")
    config = given.get("config") or {}
    forget_timings(trained.model)
    content = PackageContent(
        pipeline=make_pipeline(read_pickle(given["transformer"]), trained.model),
        features=read_frame(given["train"]).drop(columns=[step.target]),
        task=step.task,
        target=step.target,
        positive_class=step.positive_class,
        predict_prefix=config.get("predict_prefix") or "predicted_",
        scores=config.get("predict_scores_for_all_classes", True) is not False,
        project=step.project,
        code_files=given.get("code_files") or [],
        python_version=given["environment"]["python_version"],
        requirements=given["environment"]["requirements"],
        wheels=given["environment"].get("wheels") or [],
        held_out=read_frame(given["validation"]),
        onnx=config.get("onnx") or "auto",
    )
    with context.span("package model"):
        return write_package(os.path.join(given["output_dir"], "model"), content)


def _predict_training_rows(given: dict[str, Any], step: Any, directory: str) -> dict[str, Any]:
    """Predicts the raw training rows with the model as it was packaged."""
    from millrace.models.recipe_model import loader_module
    from millrace.recipes.frames import read_frame, rows_as_json, write_frame
    from millrace.recipes.train import WORST_ROWS, ranked_rows, with_predictions

    model = loader_module().load_model(os.path.join(directory, "model"))
    raw = read_frame(given["train"])
    prediction = model.predict(raw.drop(columns=[step.target]))
    write_frame(
        with_predictions(raw, prediction, model.predict_prefix),
        os.path.join(directory, "predicted_training_data.parquet"),
        "the predicted training data",
    )
    ranked = ranked_rows(raw, prediction, step, model.predict_prefix)
    return {
        "worst": rows_as_json(ranked.head(WORST_ROWS)),
        "best": rows_as_json(ranked.tail(WORST_ROWS).iloc[::-1]),
    }
