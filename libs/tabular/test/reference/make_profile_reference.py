"""Writes profile-reference.csv and profile-reference.json: data, and what pandas and numpy say of it.

Run: python make_profile_reference.py (pandas 3.1, numpy 2.4)
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

here = Path(__file__).parent
rng = np.random.default_rng(42)
rows = 5_000
frame = pd.DataFrame(
    {
        "normal": rng.normal(10, 3, rows),
        "skewed": rng.lognormal(0, 1.5, rows),
        "large": rng.normal(1e9, 1, rows),
        "small_count": rng.integers(0, 7, rows),
        "count": rng.poisson(30, rows),
        "mostly_zero": np.where(rng.random(rows) < 0.6, 0.0, rng.exponential(5, rows)),
        "carrier": rng.choice(["UA", "AA", "DL", "Ünïcode ✈"], rows, p=[0.5, 0.3, 0.15, 0.05]),
        "tail": [f"N{number:04d}" for number in rng.integers(0, 900, rows)],
        "delayed": rng.random(rows) < 0.25,
        "at": pd.Timestamp("2013-01-01") + pd.to_timedelta(rng.integers(0, 365 * 86400, rows), unit="s"),
    }
)
for column, share in {"normal": 0.03, "carrier": 0.1, "at": 0.01}.items():
    frame.loc[rng.random(rows) < share, column] = None
frame.to_csv(here / "profile-reference.csv", index=False)

probabilities = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]


def describe(series: pd.Series) -> dict:
    values = series.dropna()
    found = {"count": int(values.count()), "missing": int(series.isna().sum()), "distinct": int(values.nunique())}
    if pd.api.types.is_datetime64_any_dtype(values):
        values = values.astype("datetime64[ms]").astype("int64").astype("float64")
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        array = values.to_numpy(dtype=float)
        found["numeric"] = {
            "min": array.min(),
            "max": array.max(),
            "mean": array.mean(),
            "std": array.std(ddof=1),
            "quantiles": {str(p): np.quantile(array, p) for p in probabilities},
            "vigintiles": [np.quantile(array, p) for p in np.arange(1, 20) / 20],
        }
        return found
    text = values.map({True: "true", False: "false"}) if pd.api.types.is_bool_dtype(values) else values
    counts = text.value_counts()
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0].encode()))[:50]
    found["categorical"] = {
        "top": [{"value": value, "count": int(count)} for value, count in ordered],
        "other": int(counts.sum() - sum(count for _, count in ordered)),
    }
    if not pd.api.types.is_bool_dtype(values):
        lengths = text.str.len()
        found["length"] = {"min": int(lengths.min()), "max": int(lengths.max()), "mean": float(lengths.mean())}
    return found


reread = pd.read_csv(here / "profile-reference.csv", parse_dates=["at"])
report = {"rowCount": rows, "columns": {name: describe(reread[name]) for name in reread.columns}}
(here / "profile-reference.json").write_text(json.dumps(report, indent=1, ensure_ascii=False))
