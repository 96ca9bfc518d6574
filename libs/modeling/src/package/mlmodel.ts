import { Invalid } from '@millrace/errors';
import { parse } from 'yaml';
import type { PackageFiles } from './manifest.ts';

/** A column of a signature in MLflow's words (https://mlflow.org/docs/latest/ml/model/signatures/). */
export interface MlflowColumn {
  readonly name: string;
  /** `boolean`, `integer`, `long`, `float`, `double`, `string`, `binary`, `datetime`, or something nested. */
  readonly type: string;
  readonly required: boolean;
}

/** A tensor of a signature. */
export interface MlflowTensor {
  /** NumPy's name: `float32`. */
  readonly dtype: string;
  /** −1 where the size is open. */
  readonly shape: readonly number[];
  readonly name?: string;
}

/** Columns, tensors, or nothing said. */
export type MlflowSchema =
  | { readonly kind: 'columns'; readonly columns: readonly MlflowColumn[] }
  | { readonly kind: 'tensors'; readonly tensors: readonly MlflowTensor[] };

type Section = Readonly<Record<string, unknown>>;

/** What the `MLmodel` file of a package says. */
export interface Mlmodel {
  /** Name → what loads it and what it holds. */
  readonly flavors: Readonly<Record<string, Section>>;
  readonly inputs: MlflowSchema | undefined;
  readonly outputs: MlflowSchema | undefined;
  readonly metadata: Section;
  /** File of the input example, and its kind (`dataframe`, `ndarray`, …). */
  readonly example: { readonly path: string; readonly type: string } | undefined;
}

const isSection = (value: unknown): value is Section =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const section = (value: unknown): Section => (isSection(value) ? value : {});

/** Reads `MLmodel`. Throws `Invalid` when the package has none, or one that is not MLflow's. */
export const readMlmodel = (files: PackageFiles): Mlmodel => {
  const bytes = files.get('MLmodel');
  if (bytes === undefined) {
    throw Invalid.field('MLmodel', 'the directory has no such file', {
      hint: 'Give the directory that `mlflow.<flavor>.save_model` or `log_model` wrote.',
    });
  }
  const content = parseYaml(bytes);
  const flavors = section(content.flavors);
  if (Object.keys(flavors).length === 0) throw Invalid.field('MLmodel.flavors', 'names no flavor');
  const signature = section(content.signature);
  const { artifact_path: path, type } = section(content.saved_input_example_info);
  return {
    flavors: Object.fromEntries(Object.entries(flavors).map(([name, value]) => [name, section(value)])),
    inputs: parseSchema(signature.inputs, 'MLmodel.signature.inputs'),
    outputs: parseSchema(signature.outputs, 'MLmodel.signature.outputs'),
    metadata: section(content.metadata),
    example: typeof path === 'string' ? { path, type: String(type ?? '') } : undefined,
  };
};

const parseYaml = (bytes: Uint8Array): Section => {
  try {
    // MLflow writes no anchors; without aliases a small file stays small.
    const value: unknown = parse(new TextDecoder().decode(bytes), { maxAliasCount: 0 });
    if (isSection(value)) return value;
  } catch (cause) {
    throw Invalid.field('MLmodel', 'is not YAML', { cause });
  }
  throw Invalid.field('MLmodel', 'is not a mapping');
};

const parseSchema = (text: unknown, path: string): MlflowSchema | undefined => {
  if (text === undefined || text === null) return undefined;
  const items = parseList(text, path);
  if (items.length > 0 && items.every(({ type }) => type === 'tensor')) {
    return { kind: 'tensors', tensors: items.map(tensorOf) };
  }
  return { kind: 'columns', columns: items.map(columnOf) };
};

const parseList = (text: unknown, path: string): readonly Section[] => {
  try {
    const value: unknown = JSON.parse(String(text));
    if (Array.isArray(value)) return value.map(section);
  } catch (cause) {
    throw Invalid.field(path, 'is not JSON', { cause });
  }
  throw Invalid.field(path, 'is not a list');
};

const tensorOf = (item: Section): MlflowTensor => {
  const { dtype, shape } = section(item['tensor-spec']);
  return {
    dtype: String(dtype ?? ''),
    shape: Array.isArray(shape) ? shape.map(Number) : [],
    ...(typeof item.name === 'string' ? { name: item.name } : {}),
  };
};

const columnOf = ({ name, type, required }: Section, index: number): MlflowColumn => ({
  name: typeof name === 'string' ? name : String(index),
  type: String(type ?? ''),
  required: required !== false,
});

/** The flavors that are models of their own, without the wrapper that every one of them has. */
export const nativeFlavors = ({ flavors }: Mlmodel): string[] =>
  Object.keys(flavors).filter((name) => name !== 'python_function');
