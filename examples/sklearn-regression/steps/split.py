"""What is done to the rows when they are divided."""

from pandas import DataFrame, Series


def create_dataset_filter(dataset: DataFrame) -> Series:
    """Whether to keep each row of the training data: those with a plausible body mass index."""
    return dataset["bmi"].between(10, 60) & dataset["progression"].notna()
