import { join } from 'node:path';
import { type BlobInfo, parseDigest } from '@millrace/blobs';
import type { Artifact } from '@millrace/contracts/step';
import { Invalid, type MillraceError } from '@millrace/errors';
import type { PythonEnvironment } from '@millrace/python-runtime';
import {
  isPythonRecipe,
  makeWorkDirectory,
  openProject,
  type StepContext,
  StepFailed,
  type StepHandler,
  type StepResult,
  withCard,
} from '@millrace/service-kit';
import {
  ColumnType,
  type DatasetProfile,
  type DuckDb,
  firstRows,
  loadFiles,
  openDuckDb,
  profileRelation,
  type Relation,
  writeParquet,
} from '@millrace/tabular';
import { openFirstWorkshop } from '../adapters/python-workshop.ts';
import {
  type CollectedFile,
  collectFiles,
  filesOfFormat,
  type WantedFiles,
} from '../adapters/source-files.ts';
import { ingestCard } from '../card/ingest-card.ts';
import { OnViolation } from '../domain/contract.ts';
import { type ContractFinding, type DatasetVersion, datasetVersionId } from '../domain/dataset-version.ts';
import {
  type IngestConfig,
  ingestPath,
  isReadBuiltIn,
  type PythonIngestConfig,
  parseIngestConfig,
  parsePythonIngestConfig,
} from '../domain/ingest-config.ts';
import { contractPath } from '../domain/row-rules.ts';
import { requireTarget } from '../domain/target.ts';
import { applyContract, type CheckedData } from './apply-contract.ts';
import { environmentOutput } from './environment-output.ts';
import { inspectTarget } from './inspect-target.ts';
import { phase } from './phase.ts';
import { filesForPython, readWithPython } from './read-with-python.ts';
import { targetRequirement } from './recipe-context.ts';
import { parquetMediaType, type StepDependencies } from './step-dependencies.ts';

/** What is to be read: data to learn from, or a batch to score. */
export interface IngestPurpose {
  /** Path of the step's section in the recipe, for errors. */
  readonly section: string;
  readonly training: boolean;
}

export const trainingData: IngestPurpose = { section: ingestPath, training: true };
export const scoringData: IngestPurpose = { section: 'steps.ingest_scoring', training: false };

/** Reads the data of a recipe into an immutable dataset version. */
export const ingestStep =
  (dependencies: StepDependencies, purpose: IngestPurpose): StepHandler =>
  async (context) => {
    const config = parse(context, purpose);
    await using directory = await makeWorkDirectory(dependencies.tempDir);
    await using duck = await openDuckDb({
      tempDir: directory.path,
      memoryLimit: dependencies.memoryLimit,
      signal: context.signal,
    });
    const place: Place = { dependencies, context, purpose, duck, directory: directory.path };
    const read = config.kind === 'python' ? await readPython(place, config) : await readNode(place, config);
    if (purpose.training) requireTarget(read.relation.columns, targetRequirement(context.command));
    const checked = await phase(context, phases.check, () =>
      applyContract(duck, read.relation, config.contract, dependencies.now()),
    );
    const ingest: Ingest = { ...place, config, read, checked };
    await refuseBlocked(ingest);
    if (purpose.training) await inspect(ingest);
    // Awaited here: the session ends with this block.
    return await store(ingest);
  };

type Config = ({ readonly kind: 'node' } & IngestConfig) | ({ readonly kind: 'python' } & PythonIngestConfig);

const parse = ({ command }: StepContext, { section }: IngestPurpose): Config => {
  const config = command.config ?? {};
  return isPythonRecipe(command) && !isReadBuiltIn(config)
    ? { kind: 'python', ...parsePythonIngestConfig(config, section) }
    : { kind: 'node', ...parseIngestConfig(config, section) };
};

/** Where one execution works. */
interface Place {
  readonly dependencies: StepDependencies;
  readonly context: StepContext;
  readonly purpose: IngestPurpose;
  readonly duck: DuckDb;
  readonly directory: string;
}

/** The data as it was read. */
interface ReadData {
  readonly files: readonly CollectedFile[];
  readonly relation: Relation;
  /** File that Python wrote, which is the dataset unless rows are set aside. */
  readonly parquet?: string;
  /** In which the later steps of a Python recipe run. */
  readonly environment?: PythonEnvironment;
  readonly warnings: readonly string[];
}

const readNode = async (place: Place, config: IngestConfig): Promise<ReadData> => {
  const { context, dependencies, duck, directory } = place;
  const files = await phase(context, phases.collect, () =>
    collect(place, config.location, filesOfFormat(config.using)),
  );
  const relation = await phase(context, phases.read, () => load(duck, config, files));
  if (!isPythonRecipe(context.command)) return { files, relation, warnings: [] };
  const { environment } = await openFirstWorkshop(
    dependencies.python,
    dependencies.blobs,
    context,
    directory,
  );
  return { files, relation, environment, warnings: environment.warnings };
};

const readPython = async (place: Place, config: PythonIngestConfig): Promise<ReadData> => {
  const { context, dependencies, purpose, duck, directory } = place;
  const files = await phase(context, phases.collect, () =>
    collect(place, config.location, filesForPython(config.using)),
  );
  const workshop = await phase(context, phases.environment, () =>
    openFirstWorkshop(dependencies.python, dependencies.blobs, context, directory),
  );
  const { training } = purpose;
  const { relation, parquet, warnings } = await phase(context, phases.read, () =>
    readWithPython({ workshop, duck, config, files, directory: sourcesIn(directory), training }),
  );
  const { environment } = workshop;
  return { files, relation, parquet, environment, warnings: [...environment.warnings, ...warnings] };
};

/** The worker has checked the classes as Python compares them; numbers are checked here whoever read them. */
const inspect = async ({ context, config, duck, checked }: Ingest): Promise<void> => {
  const target = targetRequirement(context.command);
  const column = requireTarget(checked.kept.columns, target);
  const isChecked = target.task !== 'regression' || column.type === ColumnType.boolean;
  if (config.kind === 'python' && isChecked) return;
  await inspectTarget(duck, checked.kept, target);
};

const phases = {
  collect: { name: 'collect files', fraction: 0, message: 'collecting files' },
  environment: { name: 'make environment', fraction: 0.1, message: 'making the Python environment' },
  read: { name: 'read files', fraction: 0.2, message: 'reading files' },
  check: { name: 'check contract', fraction: 0.5, message: 'checking the data contract' },
  store: { name: 'store dataset', fraction: 0.7, message: 'storing the dataset' },
  profile: { name: 'profile dataset', fraction: 0.8, message: 'profiling columns' },
} as const;

/** One execution of the step, as far as it has come. */
interface Ingest extends Place {
  readonly config: Config;
  readonly read: ReadData;
  readonly checked: CheckedData;
}

const collect = async (
  { dependencies: { blobs, downloads }, context: { command, signal }, purpose, directory }: Place,
  locations: readonly string[],
  wanted: WantedFiles,
): Promise<readonly CollectedFile[]> => {
  const manifest = command.project?.manifestDigest ?? '';
  if (manifest === '') throw Invalid.field('project.manifestDigest', 'is required');
  return collectFiles({
    project: await openProject(blobs, manifest),
    locations,
    wanted,
    section: purpose.section,
    directory: sourcesIn(directory),
    limits: downloads,
    signal,
  });
};

/** Apart from the copy of the project in which Python works. */
const sourcesIn = (directory: string): string => join(directory, 'sources');

const load = (duck: DuckDb, config: IngestConfig, files: readonly CollectedFile[]): Promise<Relation> => {
  const { delimiter, quote, header, encoding, missing_values: missingValues } = config.csv;
  const textColumns = Object.entries(config.contract.columns)
    .filter(([, rules]) => rules.type?.value === ColumnType.string)
    .map(([name]) => name);
  return loadFiles(duck, {
    table: 'read',
    format: config.using,
    files,
    csv: {
      textColumns,
      ...(delimiter === undefined ? {} : { delimiter }),
      ...(quote === undefined ? {} : { quote }),
      ...(header === undefined ? {} : { header }),
      ...(encoding === undefined ? {} : { encoding }),
      ...(missingValues === undefined ? {} : { missingValues }),
    },
  });
};

/** Fails the step, with its event, when a blocking rule is broken or no row is left. */
const refuseBlocked = async (ingest: Ingest): Promise<void> => {
  const { checked, config, context, dependencies, read } = ingest;
  const blocking = checked.findings.filter(({ onViolation }) => onViolation === OnViolation.block);
  if (blocking.length === 0 && checked.kept.rowCount > 0) return;
  const { pipelineRunId, attempt } = context.command;
  await dependencies.datasets.reject(`${pipelineRunId}.${attempt}`, {
    dataset: config.dataset,
    pipelineRunId,
    findings: checked.findings,
    sources: read.files.map(({ source }) => source),
  });
  const result = await withCard(
    context,
    dependencies.blobs,
    {
      outputs: [],
      summary: { rows: checked.kept.rowCount + checked.quarantinedRows, findings: checked.findings },
    },
    async (made) => ingestCard(context.command, await cardFacts(ingest), made),
  );
  throw new StepFailed(contractBroken(blocking), result);
};

const previewRows = 10;

/** What the card shows of the data that is kept. */
const cardFacts = async ({ duck, checked, read }: Ingest) => ({
  rowCount: checked.kept.rowCount,
  quarantinedRows: checked.quarantinedRows,
  columns: checked.kept.columns,
  preview: await firstRows(duck, checked.kept, previewRows),
  findings: checked.findings,
  sources: read.files.map(({ source }) => source),
});

const contractBroken = (blocking: readonly ContractFinding[]): MillraceError => {
  const [first, ...others] = blocking;
  if (first === undefined) {
    return Invalid.field(contractPath, 'every row breaks a rule that sets rows aside, so none is left');
  }
  const more = others.length === 0 ? '' : ` (and ${others.length} more rules)`;
  return new Invalid(`the data breaks its contract: ${first.message}${more}`, {
    violations: blocking.map(({ rule, message }) => ({ path: `${contractPath}.${rule}`, message })),
    hint: 'Correct the data, or let the rule quarantine or warn (`on_violation`).',
  });
};

const store = async (ingest: Ingest): Promise<StepResult> => {
  const { dependencies, context, config, checked, read } = ingest;
  const dataset = await phase(context, phases.store, () => putDataset(ingest));
  const quarantine =
    checked.quarantinedRows === 0
      ? undefined
      : await putParquet(ingest, checked.quarantine, 'quarantine.parquet');
  const id = datasetVersionId(config.dataset, dataset.digest);
  const existing = await dependencies.datasets.find(id);
  const profile = await phase(context, phases.profile, () => profileOf(ingest, existing));
  const version = await dependencies.datasets.register(
    {
      id,
      dataset: config.dataset,
      digest: dataset.digest,
      size: dataset.size,
      rowCount: checked.kept.rowCount,
      columns: checked.kept.columns,
      sources: read.files.map(({ source }) => source),
      profileDigest: profile.digest,
      findings: checked.findings,
      quarantinedRows: checked.quarantinedRows,
      quarantineDigest: quarantine?.digest ?? '',
      pipelineRunId: context.command.pipelineRunId,
      createdAt: new Date(dependencies.now()).toISOString(),
    },
    context.command.project?.project ?? '',
  );
  const environment =
    read.environment === undefined
      ? undefined
      : await environmentOutput(dependencies.blobs, read.environment);
  const result = resultOf(ingest, version, {
    profile,
    quarantine,
    environment,
    reused: existing !== undefined,
  });
  return withCard(context, dependencies.blobs, result, async (made) =>
    ingestCard(
      context.command,
      { ...(await cardFacts(ingest)), datasetVersion: version, ...(await shownProfile(ingest, profile)) },
      made,
    ),
  );
};

/** The profile as the card shows it; monitoring needs it even where the recipe does not want to see it. */
const shownProfile = async (
  { context: { command }, dependencies: { blobs } }: Ingest,
  { digest, size }: BlobInfo,
): Promise<{ profile?: DatasetProfile }> => {
  if (command.config?.skip_data_profiling === true) return {};
  const bytes = await blobs.read(parseDigest(digest), size);
  return { profile: JSON.parse(new TextDecoder().decode(bytes)) as DatasetProfile };
};

/** What Python wrote stays as it is, as splits and models depend on the labels of its rows, while all of them go on. */
const putDataset = (ingest: Ingest): Promise<BlobInfo> => {
  const { dependencies, checked, read } = ingest;
  return read.parquet !== undefined && checked.quarantinedRows === 0
    ? dependencies.blobs.put({ file: read.parquet })
    : putParquet(ingest, `SELECT * FROM ${checked.kept.source}`, 'dataset.parquet');
};

const putParquet = async (
  { dependencies, duck, directory }: Ingest,
  query: string,
  name: string,
): Promise<BlobInfo> => {
  const file = join(directory, name);
  await writeParquet(duck, query, file);
  return dependencies.blobs.put({ file });
};

/** The profile is made once per version; the one it has is kept as long as its bytes are there. */
const profileOf = async (
  { dependencies: { blobs }, duck, checked }: Ingest,
  existing: DatasetVersion | undefined,
): Promise<BlobInfo> => {
  if (existing !== undefined) {
    const digest = parseDigest(existing.profileDigest);
    const size = await blobs.has(digest);
    if (size !== undefined) return { digest, size };
  }
  const profile = await profileRelation(duck, checked.kept);
  return blobs.put(Buffer.from(JSON.stringify(profile)));
};

interface Stored {
  readonly profile: BlobInfo;
  readonly quarantine: BlobInfo | undefined;
  readonly environment: Partial<Artifact> | undefined;
  readonly reused: boolean;
}

const resultOf = (
  { checked, read }: Ingest,
  version: DatasetVersion,
  { profile, quarantine, environment, reused }: Stored,
): StepResult => ({
  outputs: [
    {
      name: 'dataset',
      kind: 'dataset_version',
      id: version.id,
      digest: version.digest,
      size: version.size,
      mediaType: parquetMediaType,
      attributes: {
        dataset: version.dataset,
        version: String(version.version),
        rows: String(version.rowCount),
        columns: String(version.columns.length),
      },
    },
    {
      name: 'profile',
      kind: 'profile',
      id: version.id,
      digest: profile.digest,
      size: profile.size,
      mediaType: 'application/json',
      attributes: { rows: String(version.rowCount) },
    },
    ...(quarantine === undefined
      ? []
      : [
          {
            name: 'quarantine',
            kind: 'quarantine',
            digest: quarantine.digest,
            size: quarantine.size,
            mediaType: parquetMediaType,
            attributes: { rows: String(checked.quarantinedRows) },
          },
        ]),
    ...(environment === undefined ? [] : [environment]),
  ],
  summary: {
    dataset: version.dataset,
    version: version.version,
    rows: version.rowCount,
    quarantinedRows: checked.quarantinedRows,
    columns: version.columns.length,
    reused,
    findings: checked.findings,
    sources: read.files.map(({ source }) => source),
  },
  warnings: [
    ...read.warnings,
    ...checked.findings.map(({ message, onViolation }) =>
      onViolation === OnViolation.quarantine ? `set aside: ${message}` : message,
    ),
  ],
});
