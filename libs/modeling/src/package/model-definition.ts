import type { Params } from '../estimators/parameters.ts';
import type { TransformState } from '../transform/state.ts';

/** A user's function: its file, relative to `code/`, and the name that it is exported under. */
export interface UserFunction {
  readonly file: string;
  readonly export: string;
}

/** A user's fitted state as a file of the package, below `transform/` or `model/`. */
export type StateFile = 'state.json' | 'state.bin';

/** How raw features become what the estimator sees; the content of `transform.json`. */
export type PackagedTransform =
  | { readonly kind: 'builtin'; readonly state: TransformState }
  | { readonly kind: 'none' }
  | { readonly kind: 'typescript'; readonly function: UserFunction; readonly stateFile: StateFile };

/** What the bare numbers of a classifier are: classes, a column of probabilities for each, or that of the second. */
export type PythonOutput = 'labels' | 'probabilities' | 'positive_probability';

/** A model that Python made; it answers from a worker in the environment of `lock`. */
export interface PackagedPythonModel {
  readonly kind: 'python';
  /** Default `labels`. */
  readonly output?: PythonOutput;
  /** File of the package with every package that the model runs on, pinned. Default `requirements.txt`. */
  readonly lock?: string;
}

/** What predicts; the content of `model.json`. */
export type PackagedEstimator =
  | { readonly kind: 'builtin'; readonly name: string; readonly params: Params }
  | {
      readonly kind: 'typescript';
      readonly function: UserFunction;
      readonly stateFile: StateFile;
      readonly params: Readonly<Record<string, unknown>>;
    };

/** What a Python model was made with; the content of `environment.json`. */
export interface PythonModelEnvironment {
  /** `3.11.7` */
  readonly python: string;
  readonly platform: string;
  /** Digest of the lock, `sha256:<hex>`. */
  readonly lockDigest: string;
}

/** What a model was made with; the content of `environment.json`. */
export interface ModelEnvironment {
  readonly node: string;
  /** `linux-x64` */
  readonly platform: string;
  /** Name → version of the packages that the prediction depends on. */
  readonly packages: Readonly<Record<string, string>>;
  /** Digest of what the lock file fixes of them and all they depend on, `sha256:<hex>`; empty when there is none. */
  readonly lockDigest: string;
}
