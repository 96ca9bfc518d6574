import type { Table } from '@millrace/tabular';
import { stringify } from 'yaml';
import { estimators } from '../estimators/catalog.ts';
import { type Files, jsonFile } from '../estimators/files.ts';
import { type Cell, rowsOf } from '../table-access.ts';
import { digestOf, type PackageFiles, putUnder } from './manifest.ts';
import type { ModelEnvironment, PackagedEstimator, PackagedTransform } from './model-definition.ts';
import { mlflowSignature, type Signature } from './signature.ts';

export interface PackageInput {
  readonly signature: Signature;
  readonly transform: PackagedTransform;
  readonly estimator: PackagedEstimator;
  /** The estimator's files (for user code: its state), relative to `model/`. */
  readonly modelFiles: Files;
  /** Files of a user's transform, relative to `transform/`. */
  readonly transformFiles?: Files;
  /** User code and its helpers, relative to `code/`. */
  readonly code?: Files;
  /** Raw features; the first five rows become the input example. */
  readonly features: Table;
  readonly environment: ModelEnvironment;
}

const exampleRows = 5;

/**
 * The files of a model package, laid out as an MLflow model directory. They hold no time, run id or path, so
 * that the same training gives the same bytes; what the model came from is kept by the tracking and registry
 * services.
 */
export const buildPackage = (input: PackageInput): PackageFiles => {
  const files = new Map<string, Uint8Array>([
    ['signature.json', jsonFile(input.signature)],
    ['transform.json', jsonFile(input.transform)],
    ['model.json', jsonFile(input.estimator)],
    ['environment.json', jsonFile(input.environment)],
    ['input_example.json', jsonFile(inputExample(input.signature, input.features))],
    ...putUnder('model', input.modelFiles),
    ...putUnder('transform', input.transformFiles ?? new Map()),
    ...putUnder('code', input.code ?? new Map()),
  ]);
  files.set('MLmodel', new TextEncoder().encode(mlmodel(input, contentId(files))));
  return files;
};

/** 32 hex digits, as MLflow's `model_uuid`, but derived from the content. */
const contentId = (files: PackageFiles): string => {
  const listed = [...files].map(([path, bytes]) => `${path} ${digestOf(bytes)}`).sort();
  return digestOf(new TextEncoder().encode(listed.join('\n'))).slice('sha256:'.length, 'sha256:'.length + 32);
};

/** The flavour that serves the package: user code anywhere in it needs the TypeScript one. */
export const flavorOf = (transform: PackagedTransform, estimator: PackagedEstimator): string => {
  if (transform.kind === 'typescript' || estimator.kind === 'typescript') return 'millrace_typescript';
  return estimators.get(estimator.name)?.flavor ?? 'millrace_unknown';
};

const mlmodel = ({ transform, estimator, signature, environment }: PackageInput, id: string): string =>
  stringify({
    artifact_path: 'model',
    flavors: {
      [flavorOf(transform, estimator)]: {
        estimator:
          estimator.kind === 'builtin'
            ? estimator.name
            : `${estimator.function.file}#${estimator.function.export}`,
        data: 'model',
        transform: 'transform.json',
        node_version: environment.node,
      },
    },
    model_uuid: id,
    saved_input_example_info: {
      artifact_path: 'input_example.json',
      pandas_orient: 'split',
      type: 'dataframe',
    },
    signature: mlflowSignature(signature),
  });

/** The first rows in pandas' `split` orientation, as MLflow keeps its examples. */
const inputExample = (
  signature: Signature,
  features: Table,
): { columns: string[]; data: (Cell | string)[][] } => {
  const columns = signature.inputs.map(({ name }) => name);
  const byName = new Map(features.columns.map((column) => [column.name, column]));
  const example: Table = {
    rowCount: features.rowCount,
    columns: columns.flatMap((name) => byName.get(name) ?? []),
  };
  const data = rowsOf(example, exampleRows).map((row) =>
    row.map((cell, index) =>
      example.columns[index]?.type === 'timestamp' && typeof cell === 'number'
        ? new Date(cell).toISOString()
        : cell,
    ),
  );
  return { columns, data };
};
