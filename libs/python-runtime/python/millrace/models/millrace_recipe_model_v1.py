"""Loads a model that a recipe trained. It is copied below `code/` of every such model, so that stock MLflow
loads it with nothing of Millrace installed; for the same reason it imports nothing of Millrace.

Models refer to this module by its name. It is therefore never changed in a way that breaks models that exist:
what is different gets another name.
"""

import json
import os
import warnings

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.metaestimators import available_if

PIPELINE_FILE = os.path.join("artifacts", "sk_model", "model.pkl")


def _wrapped_has(name):
    return lambda self: hasattr(self.estimator, name)


class LabelDecodingClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of the codes 0, 1, … that answers with the labels they stand for.

    `estimator` is the fitted (or, before `fit`, unfitted) classifier, `classes` the sorted labels.
    Whatever else is asked of it, the estimator answers.
    """

    def __init__(self, estimator, classes):
        self.estimator = estimator
        self.classes = classes

    @property
    def classes_(self):
        """The sorted labels; columns of `predict_proba` are in this order."""
        return self.classes

    def fit(self, X, y, **options):
        """Fits the estimator on the codes of the labels."""
        codes = np.searchsorted(self.classes, np.asarray(y))
        self.estimator.fit(X, codes, **options)
        return self

    def predict(self, X):
        """The labels, one per row."""
        codes = np.asarray(self.estimator.predict(X)).reshape(-1).astype("int64")
        return self.classes[codes]

    @available_if(_wrapped_has("predict_proba"))
    def predict_proba(self, X):
        """One column per class."""
        return self.estimator.predict_proba(X)

    @available_if(_wrapped_has("decision_function"))
    def decision_function(self, X):
        """As the estimator's."""
        return self.estimator.decision_function(X)

    def __sklearn_is_fitted__(self):
        return True

    def __getattr__(self, name):
        # Without `estimator` this is called while unpickling, and would ask for itself for ever.
        if name.startswith("__") or "estimator" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self.estimator, name)


class RecipeModel:
    """What `mlflow.pyfunc` calls: labels, with the scores of all classes where the recipe wants them."""

    def __init__(self, pipeline, predict_prefix, scores):
        self.pipeline = pipeline
        self.predict_prefix = predict_prefix
        self.scores = scores

    def predict(self, model_input, params=None):
        """Predictions as an array, or as a table: `<prefix>score_<class>` per class, `<prefix>score` (the
        largest) and `<prefix>label`.

        The input is not changed, though a transformer may change what it is given.
        """
        with warnings.catch_warnings():
            # The estimator was fitted on a table with names, but most transformers give arrays.
            warnings.filterwarnings("ignore", message="X does not have valid feature names")
            labels = self.pipeline.predict(_copy(model_input))
            if not self._gives_scores():
                return labels
            probabilities = np.asarray(self.pipeline.predict_proba(_copy(model_input)))
        columns = [f"{self.predict_prefix}score_{label}" for label in self.pipeline.classes_]
        output = pd.DataFrame(probabilities, columns=columns)
        output[f"{self.predict_prefix}score"] = probabilities.max(axis=1)
        output[f"{self.predict_prefix}label"] = labels
        return output

    def _gives_scores(self):
        return (
            self.scores and hasattr(self.pipeline, "classes_") and hasattr(self.pipeline, "predict_proba")
        )

    def get_raw_model(self):
        """The scikit-learn pipeline."""
        return self.pipeline


def _copy(model_input):
    return model_input.copy() if hasattr(model_input, "copy") else model_input


def load_model(directory):
    """The model in this directory. Unpickles: only for models whose origin is trusted."""
    import cloudpickle

    with open(os.path.join(directory, "model.json"), encoding="utf-8") as file:
        description = json.load(file)
    with open(os.path.join(directory, PIPELINE_FILE), "rb") as file:
        pipeline = cloudpickle.load(file)
    return RecipeModel(pipeline, description["predict_prefix"], description["scores"])


def _load_pyfunc(path, model_config=None):
    """Called by `mlflow.pyfunc.load_model` with the model's directory."""
    return load_model(path)
