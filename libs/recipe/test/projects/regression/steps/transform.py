"""Makes features."""
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler


def transformer_fn():
    """Returns an *unfitted* transformer."""
    return Pipeline(
        steps=[("scale", ColumnTransformer([("distance", StandardScaler(), ["trip_distance"])]))]
    )
