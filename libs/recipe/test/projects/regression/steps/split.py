"""Chooses rows."""
from pandas import DataFrame, Series


def create_dataset_filter(dataset: DataFrame) -> Series(bool):
    """Marks the rows to keep."""
    return (
        (dataset["fare_amount"] > 0)
        & (dataset["trip_distance"] < 400)
    ) | (~dataset.isna().any(axis=1) & False)
