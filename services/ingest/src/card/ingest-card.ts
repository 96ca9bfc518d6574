import {
  badge,
  type CardSection,
  code,
  type DataRows,
  dataTable,
  facts,
  formatBytes,
  formatNumber,
  paragraph,
  profileSection,
  schemaTable,
  type Tone,
  table,
} from '@millrace/cards';
import type { StepCommand } from '@millrace/contracts/step';
import { type StepResult, stepCard } from '@millrace/service-kit';
import type { DatasetProfile } from '@millrace/tabular';
import { OnViolation } from '../domain/contract.ts';
import type { ContractFinding, Source } from '../domain/dataset-version.ts';

/** All that the card of an ingest step shows, of whichever runtime. */
export interface IngestFacts {
  /** `flights@1f3a…`, and its number within the dataset; absent where none was made, as for scoring data. */
  readonly datasetVersion?: { readonly id: string; readonly version: number };
  readonly rowCount: number;
  readonly quarantinedRows: number;
  /** Absent: the recipe skips it, or no row is left. */
  readonly profile?: DatasetProfile;
  /** Of the stored data: a library's own type names are fine. */
  readonly columns: readonly { readonly name: string; readonly type: string; readonly nullable?: boolean }[];
  readonly preview: DataRows;
  readonly findings: readonly ContractFinding[];
  readonly sources: readonly Source[];
}

/** The card of the steps `ingest` and `ingest_scoring`. */
export const ingestCard = (
  command: StepCommand,
  ingested: IngestFacts,
  { outputs, warnings = [] }: StepResult,
): string => {
  const { datasetVersion, rowCount, columns, profile, preview } = ingested;
  const told = new Set(ingested.findings.map(({ message }) => message));
  return stepCard(command, {
    title: command.step === 'ingest_scoring' ? 'Ingest of scoring data' : 'Ingest',
    subtitle: `${formatNumber(rowCount)} rows, ${formatNumber(columns.length)} columns`,
    badge: badgeOf(ingested.findings),
    sections: [
      summarySection(ingested, datasetVersion),
      contractSection(ingested.findings),
      profile === undefined ? undefined : profileSection({ title: 'Data profile', profile }),
      columns.length === 0 ? undefined : { title: 'Schema', content: [schemaTable(columns)] },
      preview.rows.length === 0 ? undefined : { title: 'First rows', content: dataTable(preview) },
    ],
    // Findings stand in a section of their own.
    warnings: warnings.filter((warning) => !told.has(warning.replace(/^set aside: /, ''))),
    outputs,
  });
};

const badgeOf = (findings: readonly ContractFinding[]): { text: string; tone: Tone } => {
  if (findings.length === 0) return { text: 'Succeeded', tone: 'good' };
  const blocked = findings.some(({ onViolation }) => onViolation === OnViolation.block);
  return blocked ? { text: 'Contract broken', tone: 'bad' } : { text: 'With findings', tone: 'warn' };
};

const summarySection = (
  { rowCount, quarantinedRows, columns, sources }: IngestFacts,
  version: IngestFacts['datasetVersion'],
): CardSection => ({
  title: 'Summary',
  content: [
    facts([
      ...(version === undefined
        ? []
        : ([
            ['Dataset version', code(version.id)],
            ['Number', formatNumber(version.version)],
          ] as const)),
      ['Rows', formatNumber(rowCount)],
      ['Columns', formatNumber(columns.length)],
      ['Rows set aside', formatNumber(quarantinedRows)],
    ]),
    table({
      caption: 'Sources',
      columns: [{ title: 'Location' }, { title: 'Digest' }, { title: 'Size', numeric: true }],
      rows: sources.map(({ location, digest, size }) => [code(location), code(digest), formatBytes(size)]),
    }),
  ],
});

const tones: Readonly<Record<OnViolation, Tone>> = { block: 'bad', quarantine: 'warn', warn: 'warn' };

/** What the contract found; nothing without findings. */
const contractSection = (findings: readonly ContractFinding[]): CardSection | undefined =>
  findings.length === 0
    ? undefined
    : {
        title: 'Data contract',
        content: [
          paragraph('Rules of the contract that the data breaks, and what was done about it.'),
          table({
            columns: [
              { title: 'Rule' },
              { title: 'Then' },
              { title: 'Violations', numeric: true },
              { title: 'Finding' },
            ],
            rows: findings.map(({ rule, onViolation, violations, message }) => [
              code(rule),
              badge(onViolation, tones[onViolation]),
              formatNumber(violations),
              message,
            ]),
          }),
        ],
      };
