import { Invalid } from '@millrace/errors';
import { parseTransformSpec } from '@millrace/modeling';

type Section = Readonly<Record<string, unknown>>;

/** The transform section of a recipe, checked. */
export type TransformPlan =
  /** `spec` is what `parseTransformSpec` takes. */
  | { readonly kind: 'auto'; readonly spec: Section }
  | { readonly kind: 'none' }
  /** Exported by `steps/transform.ts`. */
  | { readonly kind: 'typescript'; readonly method: string };

/** Reads the section; without `using` and method the transform is `auto`. Throws `Invalid` naming the key. */
export const transformPlan = (config: Section): TransformPlan => {
  const { using: asked, transformer_method: method, skip_data_profiling: _profiling, ...spec } = config;
  const using = asked ?? (typeof method === 'string' ? 'custom' : 'auto');
  if (using === 'none') return { kind: 'none' };
  if (using === 'auto') {
    parseTransformSpec(spec, 'steps.transform');
    return { kind: 'auto', spec };
  }
  if (using !== 'custom') throw Invalid.field('steps.transform.using', 'must be auto, none or custom');
  // MLflow's templates allow an empty method: the identity.
  return typeof method === 'string' ? { kind: 'typescript', method } : { kind: 'none' };
};
