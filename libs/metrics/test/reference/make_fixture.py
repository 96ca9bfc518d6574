"""Writes metrics.json: scikit-learn's values for seeded cases. Run: python make_fixture.py (scikit-learn >= 1.8, numpy)."""

import json
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn import metrics as m
from sklearn.calibration import calibration_curve
from sklearn.preprocessing import label_binarize

warnings.simplefilter("ignore")


def finite(values):
    return {k: float(v) for k, v in values.items() if np.isfinite(v)}


def regression(y, p, w=None):
    s = {} if w is None else {"sample_weight": w}
    count = len(y) if w is None else np.sum(w)
    return finite(
        {
            "root_mean_squared_error": m.root_mean_squared_error(y, p, **s),
            "mean_absolute_error": m.mean_absolute_error(y, p, **s),
            "mean_squared_error": m.mean_squared_error(y, p, **s),
            "max_error": m.max_error(y, p),
            "mean_absolute_percentage_error": m.mean_absolute_percentage_error(y, p, **s),
            "median_absolute_error": m.median_absolute_error(y, p, **s),
            "r2_score": m.r2_score(y, p, **s),
            "example_count": count,
            "mean_on_target": np.average(y, weights=w),
            "sum_on_target": np.sum(y if w is None else y * w),
        }
    )


def calibration_error(outcome, confidence, w, bins=10):
    """Weighted expected calibration error from its definition, bins as calibration_curve's."""
    edges = np.linspace(0, 1, bins + 1)
    ids = np.searchsorted(edges[1:-1], confidence)
    total = np.sum(w)
    return sum(
        abs(np.sum(w[ids == b] * (confidence[ids == b] - outcome[ids == b]))) / total for b in np.unique(ids)
    )


def binary(y, label, score, w=None):
    """Classes 0 and 1, positive is 1; score is the probability of 1."""
    s = {} if w is None else {"sample_weight": w}
    weights = np.ones(len(y)) if w is None else w
    tn, fp, fn, tp = m.confusion_matrix(y, label, labels=[0, 1], **s).ravel()
    both = len(np.unique(y)) == 2
    positives = np.any(y == 1)
    values = {
        "f1_score": m.f1_score(y, label, zero_division=0, **s),
        "accuracy_score": m.accuracy_score(y, label, **s),
        "recall_score": m.recall_score(y, label, zero_division=0, **s),
        "precision_score": m.precision_score(y, label, zero_division=0, **s),
        "true_positives": tp,
        "true_negatives": tn,
        "false_positives": fp,
        "false_negatives": fn,
        "example_count": np.sum(weights),
        "log_loss": m.log_loss(y, np.column_stack([1 - score, score]), labels=[0, 1], **s),
        "brier_score_loss": m.brier_score_loss(y, score, pos_label=1, labels=[0, 1], **s),
        "expected_calibration_error": calibration_error(y == 1, score, weights),
    }
    if both:
        values["roc_auc"] = m.roc_auc_score(y, score, **s)
    if positives:
        values["precision_recall_auc"] = m.average_precision_score(y, score, **s)
    return finite(values)


def multiclass(y, label, proba, w=None):
    s = {} if w is None else {"sample_weight": w}
    weights = np.ones(len(y)) if w is None else w
    k = proba.shape[1]
    one_hot = label_binarize(y, classes=range(k))
    present = [c for c in range(k) if one_hot[:, c].any()]
    aucs = [m.roc_auc_score(one_hot[:, c], proba[:, c], **s) for c in present]
    prevalence = [np.sum(weights * one_hot[:, c]) for c in present]
    top = proba.argmax(axis=1)
    values = {
        "f1_score_macro": m.f1_score(y, label, average="macro", zero_division=0, **s),
        "f1_score_micro": m.f1_score(y, label, average="micro", zero_division=0, **s),
        "f1_score_weighted": m.f1_score(y, label, average="weighted", zero_division=0, **s),
        "accuracy_score": m.accuracy_score(y, label, **s),
        "recall_score": m.recall_score(y, label, average="weighted", zero_division=0, **s),
        "precision_score": m.precision_score(y, label, average="weighted", zero_division=0, **s),
        "recall_score_macro": m.recall_score(y, label, average="macro", zero_division=0, **s),
        "precision_score_macro": m.precision_score(y, label, average="macro", zero_division=0, **s),
        "roc_auc": np.average(aucs, weights=prevalence),
        "log_loss": m.log_loss(y, proba, labels=range(k), **s),
        "brier_score_loss": m.brier_score_loss(y, proba, labels=range(k), **s),
        "expected_calibration_error": calibration_error(y == top, proba.max(axis=1), weights),
        "example_count": np.sum(weights),
    }
    if len(present) == k:
        whole = m.roc_auc_score(y, proba, multi_class="ovr", average="weighted", **s)
        assert abs(whole - values["roc_auc"]) < 1e-12
    return finite(values)


def ls(a):
    return None if a is None else np.asarray(a).tolist()


rng = np.random.default_rng(7)
cases = []


def add_regression(name, y, p, w=None):
    y, p = np.asarray(y, float), np.asarray(p, float)
    w = None if w is None else np.asarray(w, float)
    cases.append({"name": name, "task": "regression", "target": ls(y), "prediction": ls(p), "weights": ls(w), "expected": regression(y, p, w)})


def add_binary(name, y, score, label=None, w=None):
    y, score = np.asarray(y), np.asarray(score, float)
    label = (score > 0.5).astype(int) if label is None else np.asarray(label)
    w = None if w is None else np.asarray(w, float)
    proba = np.column_stack([1 - score, score])
    cases.append({"name": name, "task": "classification/binary", "target": ls(y), "prediction": ls(label), "probabilities": ls(proba.ravel()), "weights": ls(w), "expected": binary(y, label, score, w)})


def add_multiclass(name, y, proba, label=None, w=None):
    y = np.asarray(y)
    label = proba.argmax(axis=1) if label is None else np.asarray(label)
    w = None if w is None else np.asarray(w, float)
    cases.append({"name": name, "task": "classification/multiclass", "classes": proba.shape[1], "target": ls(y), "prediction": ls(label), "probabilities": ls(proba.ravel()), "weights": ls(w), "expected": multiclass(y, label, proba, w)})


n = 160
y = rng.normal(50, 20, n)
p = y + rng.normal(0, 6, n)
w = rng.integers(0, 4, n).astype(float)
add_regression("random", y, p)
add_regression("even number of rows, ties in the errors", np.round(y[:40]), np.round(p[:40]))
add_regression("integer weights with zeros", y, p, w)
add_regression("fractional weights", y, p, rng.random(n) + 0.01)
add_regression("zeros in the target", [0, 1, 2, 0], [0.5, 1, 2.5, 0])
add_regression("constant target, imperfect", [3, 3, 3], [3, 3, 4])
add_regression("constant target, perfect", [3, 3, 3], [3, 3, 3])
add_regression("one row", [2], [2.5])

t = (rng.random(n) < 0.3).astype(int)
score = np.clip(0.3 * t + 0.7 * rng.random(n), 0, 1)
add_binary("random", t, score)
add_binary("ties in the scores", t, np.round(score, 1))
add_binary("weights with zeros", t, np.round(score, 2), w=w)
add_binary("fractional weights", t, score, w=rng.random(n) + 0.01)
add_binary("all scores equal", t, np.full(n, 0.25))
add_binary("only negatives", np.zeros(20, int), score[:20])
add_binary("only positives", np.ones(20, int), score[:20])
add_binary("nothing predicted positive", t, score * 0.4)
add_binary("probabilities of exactly 0 and 1, some wrong", [0, 1, 1, 0, 1], [0, 1, 0, 1, 1])
add_binary("labels that disagree with the scores", t, score, label=(score > 0.8).astype(int))

k = 4
c = rng.integers(0, k, n)
logits = rng.normal(0, 1, (n, k))
logits[np.arange(n), c] += 1.2
proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
add_multiclass("random", c, proba)
add_multiclass("weights with zeros", c, proba, w=w)
add_multiclass("a class never predicted", c, proba, label=np.where(proba.argmax(axis=1) == 2, 1, proba.argmax(axis=1)))
no_three = c != 3
add_multiclass("a class absent from the target", c[no_three], proba[no_three])
rare = np.round(proba, 1) + 1e-9
add_multiclass("ties in the scores", c, rare / rare.sum(axis=1, keepdims=True))


def bootstrap(seed, resamples, statistics, rows):
    """The resampling of bootstrap.ts, repeated with the same Mersenne Twister."""
    state = np.random.RandomState(seed)
    drawn = {name: [] for name in statistics}
    for _ in range(resamples):
        index = np.floor(state.random_sample(rows) * rows).astype(int)
        for name, statistic in statistics.items():
            drawn[name].append(statistic(index))
    return {name: [float(v) for v in np.percentile(values, [2.5, 97.5])] for name, values in drawn.items()}


q = y + rng.normal(2, 9, n)
resampled = {
    "seed": 11,
    "resamples": 50,
    "regression": bootstrap(
        11,
        50,
        {
            "root_mean_squared_error": lambda i: m.root_mean_squared_error(y[i], p[i]),
            "median_absolute_error": lambda i: m.median_absolute_error(y[i], p[i]),
            "r2_score": lambda i: m.r2_score(y[i], p[i]),
        },
        n,
    ),
    "binary": bootstrap(
        11,
        50,
        {
            "roc_auc": lambda i: m.roc_auc_score(t[i], score[i]),
            "f1_score": lambda i: m.f1_score(t[i], (score > 0.5)[i]),
            "log_loss": lambda i: m.log_loss(t[i], np.column_stack([1 - score, score])[i]),
        },
        n,
    ),
    "paired": {
        "champion": ls(q),
        "root_mean_squared_error": bootstrap(
            11,
            50,
            {"d": lambda i: m.root_mean_squared_error(y[i], p[i]) - m.root_mean_squared_error(y[i], q[i])},
            n,
        )["d"],
    },
}

fpr, tpr, roc_thresholds = m.roc_curve(t, np.round(score, 1), drop_intermediate=False)
precision, recall, pr_thresholds = m.precision_recall_curve(t, np.round(score, 1))
observed, confidence = calibration_curve(t, score, n_bins=10)
curves = {
    "scores": ls(np.round(score, 1)),
    "roc": {"falsePositiveRate": ls(fpr), "truePositiveRate": ls(tpr), "thresholds": ls(roc_thresholds[1:])},
    "precisionRecall": {"precision": ls(precision), "recall": ls(recall), "thresholds": ls(pr_thresholds)},
    "calibration": {"observed": ls(observed), "confidence": ls(confidence)},
}

wilson = []
for successes, trials in [(0, 10), (5, 10), (10, 10), (37, 120), (1, 1), (990, 1000)]:
    from scipy.stats import binomtest

    interval = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    wilson.append({"successes": successes, "trials": trials, "lower": interval.low, "upper": interval.high})

out = {
    "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
    "cases": cases,
    "bootstrap": resampled,
    "curves": curves,
    "wilson": wilson,
}
Path(__file__).with_name("metrics.json").write_text(json.dumps(out, indent=0) + "\n")
