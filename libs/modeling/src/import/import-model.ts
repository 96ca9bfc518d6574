import { rm } from 'node:fs/promises';
import { FailedPrecondition, Internal, Invalid } from '@millrace/errors';
import type { OutputLine } from '@millrace/jobs';
import {
  type EnvironmentSpec,
  environmentSpecOf,
  type PythonEnvironment,
  PythonProcess,
  tableToArrow,
} from '@millrace/python-runtime';
import type { ColumnType, Table } from '@millrace/tabular';
import { jsonFile } from '../estimators/files.ts';
import { inspectOnnx } from '../onnx/inspect.ts';
import { type Row, tableFromRows } from '../package/check-input.ts';
import { layOut } from '../package/lay-out.ts';
import { type PackageFiles, putUnder } from '../package/manifest.ts';
import { type Mlmodel, readMlmodel } from '../package/mlmodel.ts';
import type {
  PackagedPythonModel,
  PythonModelEnvironment,
  PythonOutput,
} from '../package/model-definition.ts';
import { importedDirectory } from '../package/own-files.ts';
import { type PickleReport, pickleReportFile } from '../package/pickle-report.ts';
import { loadPredictor } from '../package/predictor.ts';
import type { FeatureSignature, Signature } from '../package/signature.ts';
import { Task } from '../prediction.ts';
import { type EnvironmentBuilder, wheelsOf } from '../python/environment.ts';
import { signatureOf } from '../python/python-model.ts';
import { exampleRows, importedExample, plainExample } from './example.ts';
import { importedFeatures } from './features.ts';

export interface ImportOptions {
  /** Default: what the model says or shows. */
  readonly task?: Task;
  /** Classes of a model that does not say them, in the order of its probabilities. */
  readonly classes?: readonly string[];
  /** Name of what is predicted. Default: what the model says, else `prediction`. */
  readonly target?: string;
  /** Load it although its pickles may run anything. */
  readonly allowDangerousPickles?: boolean;
  readonly environments: EnvironmentBuilder;
  /** Limit of the worker's memory, MiB. */
  readonly memoryMb?: number;
  readonly onProgress?: (message: string) => void;
  readonly onLog?: (line: OutputLine) => void;
  readonly signal?: AbortSignal;
}

/** A model of MLflow's that became a package. */
export interface ImportedModel {
  /** The directory as it was, and Millrace's own files beside it. */
  readonly files: PackageFiles;
  readonly signature: Signature;
  readonly example: readonly Row[];
  readonly flavors: readonly string[];
  readonly pickles: PickleReport;
  readonly warnings: readonly string[];
}

/** What `millrace/jobs/import_model.py` found. */
interface Checked {
  readonly pickle: PickleReport;
  readonly description: {
    readonly task: Task;
    readonly classes: readonly string[] | null;
    readonly output: PythonOutput;
    readonly type: ColumnType;
  } | null;
}

const importTimeoutMs = 10 * 60_000;
const lockFile = 'requirements.lock';

/**
 * Makes a package of a model directory that stock MLflow saved: builds its environment, looks into its pickles, loads it in
 * a worker, and has it predict its own example in the way in which it will be served.
 *
 * @throws Invalid when it is no such directory, does not load, or answers in a way that cannot be read; FailedPrecondition
 *   when its pickles are dangerous and that is not allowed
 */
export const importModel = async (
  directory: PackageFiles,
  options: ImportOptions,
): Promise<ImportedModel> => {
  // What an earlier import added is made anew.
  const files = new Map([...directory].filter(([path]) => !path.startsWith(`${importedDirectory}/`)));
  const mlmodel = readMlmodel(files);
  checkFlavors(files, mlmodel);
  const given = importedExample(files, mlmodel);
  const features = importedFeatures(mlmodel, given);
  const example = exampleRows(given ?? plainExample(features), features);
  const table = tableFromRows(checkingSignature(features), example, { path: 'input_example' });
  const spec = importedEnvironmentSpec(files, mlmodel);
  options.onProgress?.('building the environment of the model');
  const environment = await options.environments.ensure(spec, {
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  });
  options.onProgress?.('checking the model in its environment');
  const checked = await check(files, mlmodel, table, spec, environment, options);
  const signature = signatureFrom(mlmodel, features, checked, options);
  const complete = withOwnFiles(files, checked, signature, example, environment);
  options.onProgress?.('predicting the input example as it will be served');
  await predictExample(complete, example, options);
  return {
    files: complete,
    signature,
    example,
    flavors: Object.keys(mlmodel.flavors),
    pickles: checked.pickle,
    warnings: warningsOf(given === undefined, mlmodel, checked.pickle, environment),
  };
};

const checkFlavors = (files: PackageFiles, { flavors }: Mlmodel): void => {
  if (flavors.python_function === undefined) {
    throw Invalid.field('MLmodel.flavors', 'has no python_function, which models are served by', {
      hint: `It has: ${Object.keys(flavors).join(', ')}.`,
    });
  }
  const onnx = flavors.onnx?.data;
  if (typeof onnx === 'string') inspectOnnx(files, onnx);
};

/** Enough of a signature to check rows with. */
const checkingSignature = (inputs: readonly FeatureSignature[]): Signature => ({
  inputs,
  output: { task: 'regression', name: 'prediction', type: 'number' },
});

const importedEnvironmentSpec = (files: PackageFiles, { flavors }: Mlmodel): EnvironmentSpec => {
  const { loader_module: loader, python_version: version } = flavors.python_function ?? {};
  const project = {
    listFiles: () => [...files.keys()],
    readFile: (path: string) => {
      const bytes = files.get(path);
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    },
  };
  const declared = environmentSpecOf(project, []);
  const hasMlflow = declared.requirements.some((line) => /^mlflow(-skinny)?\b(?!-)/i.test(line));
  const python = typeof version === 'string' ? version.split('.').slice(0, 2).join('.') : declared.python;
  const { localPackages = [], ...published } = declared;
  for (const { path, place } of localPackages) {
    if (!path.startsWith('wheels/')) {
      throw Invalid.field(place, `${path} is required by its path, and is no wheel below wheels/`, {
        hint: 'Save the model with the modules in code_paths, or with mlflow.models.add_libraries_to_model.',
      });
    }
  }
  return {
    ...published,
    ...wheelsOf(
      files,
      localPackages.map(({ path }) => path),
    ),
    needs: hasMlflow || !String(loader).startsWith('mlflow') ? [] : ['mlflow-skinny'],
    ...(python === undefined ? {} : { python }),
  };
};

const check = async (
  files: PackageFiles,
  mlmodel: Mlmodel,
  example: Table,
  { requirements }: EnvironmentSpec,
  environment: PythonEnvironment,
  { task, classes, allowDangerousPickles, memoryMb, onLog, onProgress, signal }: ImportOptions,
): Promise<Checked & { readonly description: NonNullable<Checked['description']> }> => {
  const directory = await layOut(files);
  const worker = await PythonProcess.start({
    environment,
    userRoot: directory,
    ...(memoryMb === undefined ? {} : { memoryMb }),
  });
  try {
    const { output } = await worker.call<Checked>(
      'import_model',
      {
        model: directory,
        loader: mlmodel.flavors.python_function?.loader_module,
        requirements,
        signature: signatureOf(mlmodel.inputs),
        task: task ?? null,
        classes: classes ?? null,
        allow_dangerous: allowDangerousPickles ?? false,
      },
      {
        table: tableToArrow(example),
        timeoutMs: importTimeoutMs,
        activity: 'the check of the model',
        ...(onLog === undefined ? {} : { onLog }),
        ...(signal === undefined ? {} : { signal }),
        onProgress: ({ message }) => onProgress?.(message),
      },
    );
    if (output.description === null) throw dangerousPickles(output.pickle);
    return { pickle: output.pickle, description: output.description };
  } finally {
    await worker.kill();
    await rm(directory, { recursive: true, force: true });
  }
};

const dangerousPickles = ({ findings }: PickleReport): FailedPrecondition => {
  const told = findings.filter(({ verdict }) => verdict === 'dangerous').slice(0, 5);
  const text = told.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return new FailedPrecondition(`the model's pickles are dangerous, so it was not loaded: ${text}`, {
    hint: 'If you trust where it comes from, import it with --allow-dangerous-pickles and a --reason.',
  });
};

const signatureFrom = (
  { outputs, metadata }: Mlmodel,
  inputs: readonly FeatureSignature[],
  { description: { task, classes, type } }: Awaited<ReturnType<typeof check>>,
  { target }: ImportOptions,
): Signature => {
  const own = (metadata.millrace as { target?: unknown } | undefined)?.target;
  const only =
    outputs?.kind === 'columns' && outputs.columns.length === 1 ? outputs.columns[0]?.name : undefined;
  const said = typeof own === 'string' ? own : only;
  const name = target ?? (said === undefined || said === '0' ? 'prediction' : said);
  return { inputs, output: { task, name, type, ...(classes === null ? {} : { classes }) } };
};

const withOwnFiles = (
  files: PackageFiles,
  { pickle, description }: Awaited<ReturnType<typeof check>>,
  signature: Signature,
  example: readonly Row[],
  { lock, lockDigest, platform, pythonVersion }: PythonEnvironment,
): PackageFiles => {
  const columns = signature.inputs.map(({ name }) => name);
  const model: PackagedPythonModel = {
    kind: 'python',
    output: description.output,
    lock: `${importedDirectory}/${lockFile}`,
  };
  const environment: PythonModelEnvironment = { python: pythonVersion, platform, lockDigest };
  const own = new Map<string, Uint8Array>([
    ['model.json', jsonFile(model)],
    ['signature.json', jsonFile(signature)],
    ['environment.json', jsonFile(environment)],
    [
      'input_example.json',
      jsonFile({ columns, data: example.map((row) => columns.map((name) => row[name] ?? null)) }),
    ],
    [pickleReportFile, jsonFile(pickle)],
    [lockFile, new TextEncoder().encode(lock)],
  ]);
  return new Map([...files, ...putUnder(importedDirectory, own)]);
};

const predictExample = async (
  files: PackageFiles,
  example: readonly Row[],
  { environments, memoryMb, onLog, signal }: ImportOptions,
): Promise<void> => {
  const predictor = await loadPredictor(files, {
    environments,
    callTimeoutMs: importTimeoutMs,
    ...(memoryMb === undefined ? {} : { memoryMb }),
    ...(onLog === undefined ? {} : { onLog }),
    ...(signal === undefined ? {} : { signal }),
  });
  try {
    const prediction = await predictor.predict(example);
    const numbers =
      prediction.kind === Task.regression ? prediction.values : (prediction.probabilities ?? []).flat();
    if (!numbers.every(Number.isFinite))
      throw new Internal('the model answers its example with no finite number');
  } finally {
    await predictor.close();
  }
};

const warningsOf = (
  withoutExample: boolean,
  { inputs }: Mlmodel,
  pickles: PickleReport,
  environment: PythonEnvironment,
): string[] => [
  ...(withoutExample ? ['it brings no input example: it was tried on a row of zeros and empty text'] : []),
  ...(inputs === undefined ? ['it has no signature: its columns are those of its input example'] : []),
  ...(pickles.verdict === 'unknown'
    ? [`its pickles hold code that nobody can vouch for: ${pickles.findings[0]?.message ?? ''}`]
    : []),
  ...(pickles.verdict === 'dangerous' ? ['its pickles may run anything on the machines that serve it'] : []),
  ...environment.warnings,
];
