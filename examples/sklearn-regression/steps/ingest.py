"""Reading data in a format that is not built in. Parquet is, so nothing is needed here."""
