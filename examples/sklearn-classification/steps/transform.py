"""Features of the model."""

from sklearn.preprocessing import StandardScaler


def transformer_fn():
    """All chemical measures on one scale, as a table with their names."""
    return StandardScaler().set_output(transform="pandas")
