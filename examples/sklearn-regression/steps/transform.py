"""Features of the model."""

from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

MEASURES = [
    "age",
    "bmi",
    "blood_pressure",
    "total_cholesterol",
    "ldl",
    "hdl",
    "cholesterol_ratio",
    "log_triglycerides",
    "glucose",
]


def transformer_fn():
    """Scaled measures with their products, and the sex as a column of its own."""
    measures = Pipeline(
        [
            ("scale", StandardScaler()),
            ("products", PolynomialFeatures(degree=2, interaction_only=True, include_bias=False)),
        ]
    )
    return ColumnTransformer(
        [
            ("measures", measures, MEASURES),
            ("sex", OneHotEncoder(drop="first", sparse_output=False, handle_unknown="ignore"), ["sex"]),
        ]
    )
