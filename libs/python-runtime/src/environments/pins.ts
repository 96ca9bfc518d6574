/**
 * What Millrace's own Python code needs beside the user's requirements, with the oldest release that it runs with.
 * Few on purpose: each is a chance of a conflict.
 */
export const workerNeeds: readonly string[] = [
  'pandas>=1.5',
  'numpy>=1.21',
  'pyarrow>=8',
  'scikit-learn>=1.0',
  'cloudpickle>=2.0',
  // Every environment had it before Python 3.12, so old packages (hyperopt 0.2) import its `pkg_resources` without asking.
  'setuptools',
];

/** A package that versions are preferred for: constraints from the strictest on, the next taken where one is in conflict. */
export interface Preference {
  readonly name: string;
  readonly constraints: readonly string[];
}

/**
 * The versions that Millrace is tested with and that old step functions run on unchanged; what the project itself says wins.
 *
 * - pandas before 3: no copy-on-write, dates in nanoseconds, `object` for text, as released MLflow Recipes knew it.
 * - NumPy before 2, which took `np.float_`, `np.Inf` and others away; the last with wheels for Python 3.9 to 3.12.
 * - scikit-learn 1.5: the last that knows `squared=False`, the newest that MLflow's own Recipes ran with, and one that current
 *   MLflow 3 accepts.
 * - SciPy and pyarrow of the same time.
 * - setuptools before it warns of `pkg_resources`, which it is soon without.
 */
const preferences: readonly Preference[] = [
  { name: 'pandas', constraints: ["pandas==2.3.3; python_version < '3.14'", 'pandas<3'] },
  {
    name: 'numpy',
    constraints: [
      "numpy==1.26.4; python_version < '3.13'\nnumpy==2.2.6; python_version == '3.13'",
      "numpy<2; python_version < '3.13'",
    ],
  },
  {
    name: 'scipy',
    constraints: ["scipy==1.13.1; python_version < '3.13'\nscipy==1.14.1; python_version == '3.13'"],
  },
  {
    name: 'scikit-learn',
    constraints: ["scikit-learn==1.5.2; python_version < '3.14'", 'scikit-learn<1.6'],
  },
  { name: 'pyarrow', constraints: ["pyarrow==21.0.0; python_version < '3.14'"] },
  { name: 'cloudpickle', constraints: ["cloudpickle==3.1.2; python_version < '3.14'"] },
  { name: 'setuptools', constraints: ['setuptools==75.8.2', 'setuptools<81'] },
];

/** XGBoost 2 took away what FLAML 1 calls, which says nothing of it. */
const besideOldFlaml: Preference = { name: 'xgboost', constraints: ['xgboost<2'] };

/** The preferences for a project that requires this. */
export const preferencesFor = (requirements: readonly string[]): readonly Preference[] => {
  const isOldFlaml = requirements.some((line) => /^flaml\b.*(?:[=~]=\s*1\.|<\s*2)/i.test(line));
  return isOldFlaml ? [...preferences, besideOldFlaml] : preferences;
};

/** Modules of the packages that the worker itself imports: an environment in which they do not load is of no use. */
export const workerModules: readonly string[] = [
  'numpy',
  'pandas',
  'pyarrow.parquet',
  'sklearn.pipeline',
  'cloudpickle',
];
