import { Invalid } from '@millrace/errors';

/** Which version of a registered model is meant. */
export type ModelReference =
  | { readonly model: string; readonly kind: 'version'; readonly version: number }
  | { readonly model: string; readonly kind: 'latest' }
  | { readonly model: string; readonly kind: 'alias'; readonly alias: string };

const field = 'steps.predict.model_uri';

/**
 * Reads `models:/<name>/<version>`, `models:/<name>/latest`, `models:/<name>@<alias>`, and MLflow's
 * `models:/<name>/<stage>`, whose stages are aliases here. Throws `Invalid` for anything else.
 */
export const parseModelUri = (uri: string): ModelReference => {
  const match = /^models:\/{1,3}([^/@]+)(?:\/([^/@]+)|@([^/@]+))$/.exec(uri);
  if (match === null) {
    throw Invalid.field(field, `"${uri}" names no registered model`, {
      hint: "Write models:/<name>/<version>, models:/<name>/latest or models:/<name>@<alias>; a run's model is registered first.",
    });
  }
  const [, model = '', which = '', alias] = match;
  if (alias !== undefined) return { model, kind: 'alias', alias };
  if (which.toLowerCase() === 'latest') return { model, kind: 'latest' };
  if (/^[1-9]\d*$/.test(which)) return { model, kind: 'version', version: Number(which) };
  return { model, kind: 'alias', alias: which.toLowerCase() };
};
