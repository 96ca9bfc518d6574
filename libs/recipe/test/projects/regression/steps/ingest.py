"""Reads formats that have no reader of their own."""
import pandas
from pandas import DataFrame


def load_file_as_dataframe(file_path: str, file_format: str) -> DataFrame:
    """Reads one file.

    :param file_path: Path of the file.
    :param file_format: The ``using`` of ``recipe.yaml``.
    """
    if file_format == "csv":
        return pandas.read_csv(file_path)
    raise NotImplementedError
