import { join } from 'node:path';
import { type BlobInfo, parseDigest } from '@millrace/blobs';
import { Invalid, type MillraceError } from '@millrace/errors';
import {
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
import { type CollectedFile, collectFiles } from '../adapters/source-files.ts';
import { makeWorkDirectory } from '../adapters/work-directory.ts';
import { ingestCard } from '../card/ingest-card.ts';
import { OnViolation } from '../domain/contract.ts';
import { type ContractFinding, type DatasetVersion, datasetVersionId } from '../domain/dataset-version.ts';
import { type IngestConfig, parseIngestConfig } from '../domain/ingest-config.ts';
import { contractPath } from '../domain/row-rules.ts';
import { requireTarget } from '../domain/target.ts';
import { applyContract, type CheckedData } from './apply-contract.ts';
import { inspectTarget } from './inspect-target.ts';
import { phase } from './phase.ts';
import { targetRequirement } from './recipe-context.ts';
import { parquetMediaType, type StepDependencies } from './step-dependencies.ts';

/** Reads the data of a recipe into an immutable dataset version. */
export const ingestStep =
  (dependencies: StepDependencies): StepHandler =>
  async (context) => {
    const config = parseIngestConfig(context.command.config ?? {});
    await using directory = await makeWorkDirectory(dependencies.tempDir);
    const files = await phase(context, phases.collect, () =>
      collect(dependencies, context, config, directory.path),
    );
    await using duck = await openDuckDb({
      tempDir: directory.path,
      memoryLimit: dependencies.memoryLimit,
      signal: context.signal,
    });
    const read = await phase(context, phases.read, () => load(duck, config, files));
    const target = targetRequirement(context.command);
    requireTarget(read.columns, target);
    const checked = await phase(context, phases.check, () =>
      applyContract(duck, read, config.contract, dependencies.now()),
    );
    const ingest: Ingest = { dependencies, context, config, duck, files, checked, directory: directory.path };
    await refuseBlocked(ingest);
    await inspectTarget(duck, checked.kept, target);
    // Awaited here: the session ends with this block.
    return await store(ingest);
  };

const phases = {
  collect: { name: 'collect files', fraction: 0, message: 'collecting files' },
  read: { name: 'read files', fraction: 0.2, message: 'reading files' },
  check: { name: 'check contract', fraction: 0.5, message: 'checking the data contract' },
  store: { name: 'store dataset', fraction: 0.7, message: 'storing the dataset' },
  profile: { name: 'profile dataset', fraction: 0.8, message: 'profiling columns' },
} as const;

/** One execution of the step, as far as it has come. */
interface Ingest {
  readonly dependencies: StepDependencies;
  readonly context: StepContext;
  readonly config: IngestConfig;
  readonly duck: DuckDb;
  readonly files: readonly CollectedFile[];
  readonly checked: CheckedData;
  readonly directory: string;
}

const collect = async (
  { blobs, downloads }: StepDependencies,
  { command, signal }: StepContext,
  config: IngestConfig,
  directory: string,
): Promise<readonly CollectedFile[]> => {
  const manifest = command.project?.manifestDigest ?? '';
  if (manifest === '') throw Invalid.field('project.manifestDigest', 'is required');
  return collectFiles({
    project: await openProject(blobs, manifest),
    locations: config.location,
    format: config.using,
    directory,
    limits: downloads,
    signal,
  });
};

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
  const { checked, config, context, dependencies, files } = ingest;
  const blocking = checked.findings.filter(({ onViolation }) => onViolation === OnViolation.block);
  if (blocking.length === 0 && checked.kept.rowCount > 0) return;
  const { pipelineRunId, attempt } = context.command;
  await dependencies.datasets.reject(`${pipelineRunId}.${attempt}`, {
    dataset: config.dataset,
    pipelineRunId,
    findings: checked.findings,
    sources: files.map(({ source }) => source),
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
const cardFacts = async ({ duck, checked, files }: Ingest) => ({
  rowCount: checked.kept.rowCount,
  quarantinedRows: checked.quarantinedRows,
  columns: checked.kept.columns,
  preview: await firstRows(duck, checked.kept, previewRows),
  findings: checked.findings,
  sources: files.map(({ source }) => source),
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
  const { dependencies, context, config, checked } = ingest;
  const dataset = await phase(context, phases.store, () =>
    putParquet(ingest, `SELECT * FROM ${checked.kept.source}`, 'dataset.parquet'),
  );
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
      sources: ingest.files.map(({ source }) => source),
      profileDigest: profile.digest,
      findings: checked.findings,
      quarantinedRows: checked.quarantinedRows,
      quarantineDigest: quarantine?.digest ?? '',
      pipelineRunId: context.command.pipelineRunId,
      createdAt: new Date(dependencies.now()).toISOString(),
    },
    context.command.project?.project ?? '',
  );
  const result = resultOf(ingest, version, { profile, quarantine, reused: existing !== undefined });
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
  readonly reused: boolean;
}

const resultOf = (
  { checked, files }: Ingest,
  version: DatasetVersion,
  { profile, quarantine, reused }: Stored,
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
  ],
  summary: {
    dataset: version.dataset,
    version: version.version,
    rows: version.rowCount,
    quarantinedRows: checked.quarantinedRows,
    columns: version.columns.length,
    reused,
    findings: checked.findings,
    sources: files.map(({ source }) => source),
  },
  warnings: checked.findings.map(({ message, onViolation }) =>
    onViolation === OnViolation.quarantine ? `set aside: ${message}` : message,
  ),
});
