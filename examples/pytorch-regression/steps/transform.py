"""Features of the model."""

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def transformer_fn():
    """Scaled numbers, and a column for each carrier and airport of origin."""
    numbers = ["distance", "dep_delay", "temp", "wind_speed", "precip", "visib"]
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), numbers),
            ("names", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["carrier", "origin"]),
        ]
    )
