import type { Params } from '../estimators/parameters.ts';
import type { TransformState } from '../transform/state.ts';

/** Where user code of a package is: `code/<file>`, exported name. */
export interface UserFunction {
  readonly file: string;
  readonly export: string;
}

/** How raw features become what the estimator sees; the content of `transform.json`. */
export type PackagedTransform =
  | { readonly kind: 'builtin'; readonly state: TransformState }
  | { readonly kind: 'typescript'; readonly function: UserFunction; readonly stateFile: string };

/** What predicts; the content of `model.json`. */
export type PackagedEstimator =
  | { readonly kind: 'builtin'; readonly name: string; readonly params: Params }
  | {
      readonly kind: 'typescript';
      readonly function: UserFunction;
      readonly stateFile: string;
      readonly params: Readonly<Record<string, unknown>>;
    };

/** What a model was made with; the content of `environment.json`. */
export interface ModelEnvironment {
  readonly node: string;
  /** `linux-x64` */
  readonly platform: string;
  /** Name → version of the packages that the prediction depends on. */
  readonly packages: Readonly<Record<string, string>>;
  /** Digest of the lock file that fixed them, `sha256:<hex>`; empty when there is none. */
  readonly lockDigest: string;
}
