import { Invalid } from '@millrace/errors';
import type { Row, Signature } from '@millrace/modeling';

export interface Invocation {
  readonly rows: readonly Row[];
  /** Where the rows stand in the body. */
  readonly path: string;
}

const forms = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] as const;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Rows of a request to `/invocations`, in any of the four JSON forms of MLflow's scoring server
 * (https://mlflow.org/docs/latest/deployment/deploy-model-locally). Throws `Invalid`.
 */
export const parseInvocation = (body: unknown, signature: Signature): Invocation => {
  if (!isObject(body)) throw new Invalid(`the body must be a JSON object with one of ${forms.join(', ')}`);
  const given = forms.filter((form) => body[form] !== undefined);
  const form = given[0];
  if (given.length !== 1 || form === undefined) {
    throw new Invalid(`the body must have exactly one of ${forms.join(', ')}`);
  }
  const content = body[form];
  if (form === 'dataframe_split') return { rows: fromSplit(content), path: 'dataframe_split.data' };
  if (form === 'inputs' && isObject(content)) return { rows: fromColumns(content), path: 'inputs' };
  return { rows: fromList(content, form, signature), path: form };
};

const fromSplit = (content: unknown): Row[] => {
  if (!isObject(content) || !Array.isArray(content.columns) || !Array.isArray(content.data)) {
    throw Invalid.field('dataframe_split', 'must have "columns" and "data"');
  }
  const columns = content.columns.map(String);
  return content.data.map((cells: unknown, i) => {
    if (!Array.isArray(cells) || cells.length !== columns.length) {
      throw Invalid.field(`dataframe_split.data[${i}]`, `must be a list of ${columns.length} values`);
    }
    return Object.fromEntries(columns.map((name, at) => [name, cells[at]]));
  });
};

/** A list of records, or of rows whose values stand in the order of the signature. */
const fromList = (content: unknown, path: string, signature: Signature): Row[] => {
  if (!Array.isArray(content)) throw Invalid.field(path, 'must be a list of rows');
  return content.map((row: unknown, i) => {
    if (isObject(row)) return row;
    if (Array.isArray(row) && row.length === signature.inputs.length) {
      return Object.fromEntries(signature.inputs.map(({ name }, at) => [name, row[at]]));
    }
    throw Invalid.field(`${path}[${i}]`, 'must be an object of features');
  });
};

const fromColumns = (columns: Record<string, unknown>): Row[] => {
  const entries = Object.entries(columns).map(([name, values]) => [name, [values].flat()] as const);
  const rowCount = entries[0]?.[1].length ?? 0;
  for (const [name, values] of entries) {
    if (values.length !== rowCount) {
      throw Invalid.field(`inputs.${name}`, `has ${values.length} values where others have ${rowCount}`);
    }
  }
  return Array.from({ length: rowCount }, (_, i) =>
    Object.fromEntries(entries.map(([name, values]) => [name, values[i]])),
  );
};
