"""Writes reference.json: values of scipy that the statistics must equal.

Run with scipy 1.17.1 and numpy: python3 libs/drift/test/reference.py
"""
import json
import math
import pathlib
import warnings

import numpy as np
from scipy import stats
from scipy.spatial.distance import jensenshannon

warnings.filterwarnings("ignore")
rng = np.random.default_rng(7)


def psi(p, q, pseudo):
    p, q = np.asarray(p, float) + pseudo, np.asarray(q, float) + pseudo
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum((q - p) * np.log(q / p)))


def sample_case(a, b):
    a, b = np.sort(a), np.sort(b)
    exact, asymptotic = (stats.ks_2samp(a, b, method=m) for m in ("exact", "asymp"))
    return {
        "a": a.tolist(), "b": b.tolist(), "ks": float(exact.statistic),
        "exact": float(exact.pvalue), "asymptotic": float(asymptotic.pvalue),
        "wasserstein": float(stats.wasserstein_distance(a, b)),
    }


def count_case(a, b):
    chi = stats.chi2_contingency([a, b], correction=False)
    return {
        "a": a, "b": b, "psi": psi(a, b, 0.5), "textbookPsi": psi(a, b, 0) if min(a + b) > 0 else None,
        "jensenShannon": float(jensenshannon(a, b, base=2)),
        "totalVariation": float(np.abs(np.array(a) / sum(a) - np.array(b) / sum(b)).sum() / 2),
        "chiSquared": float(chi.statistic), "chiSquaredP": float(chi.pvalue),
    }


samples = [
    sample_case(rng.normal(size=n), rng.normal(shift, scale, size=m))
    for n, m, shift, scale in [(5, 7, 0, 1), (30, 30, 0.5, 1), (60, 45, 0, 1), (200, 150, 0.1, 1.2), (400, 90, 1.5, 1),
                               (500, 700, 0, 1), (900, 1000, 0.15, 1), (300, 400, 0.02, 1), (40, 300, 0.3, 1)]
]
samples.append(sample_case(rng.integers(0, 6, 50).astype(float), rng.integers(0, 7, 80).astype(float)))

counts = [
    count_case([10, 20, 30, 40], [12, 18, 33, 37]), count_case([100, 100, 100], [50, 120, 130]),
    count_case([500, 300, 0, 7], [20, 30, 5, 1]), count_case([9000, 1000], [80, 20]),
    count_case([1000] * 10, [90, 110, 100, 105, 95, 99, 101, 130, 70, 100]),
]

tables = [[3, 50, 1, 200], [0, 40, 7, 1000], [10, 100, 10, 100], [5, 20, 0, 30], [12, 1000, 30, 1500], [300, 1000, 200, 1000]]
proportions = []
for hits, n, base, m in tables:
    table = [[hits, n - hits], [base, m - base]]
    proportions.append({
        "hits": hits, "n": n, "baselineHits": base, "m": m,
        "fisher": float(stats.fisher_exact(table).pvalue),
        "z": float(stats.chi2_contingency(table, correction=False).pvalue),
    })

chi_squared = [{"x": x, "df": df, "survival": float(stats.chi2.sf(x, df))}
               for df in (1, 2, 9, 50, 999) for x in (0.01, 1.0, 8.0, 40.0, 300.0, 1200.0)]
critical = [{"tail": t, "df": df, "value": float(stats.chi2.isf(t, df))}
            for df in (1, 9, 49) for t in (0.5, 0.05, 1e-4, 1e-9)]

p_values = rng.uniform(size=12).tolist() + [0.001, 0.0001, 0.001]
adjusted = stats.false_discovery_control(p_values).tolist()

out = {"samples": samples, "counts": counts, "proportions": proportions, "chiSquared": chi_squared,
       "critical": critical, "benjaminiHochberg": {"pValues": p_values, "adjusted": adjusted}}
assert all(math.isfinite(row["survival"]) for row in chi_squared)
pathlib.Path(__file__).with_name("reference.json").write_text(json.dumps(out, indent=1) + "\n")
