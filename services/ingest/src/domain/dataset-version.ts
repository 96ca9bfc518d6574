import { DatasetVersion as DatasetVersionMessage } from '@millrace/contracts/ingest';
import type { ColumnSchema } from '@millrace/tabular';
import type { OnViolation } from './contract.ts';

/** A file that rows came from. */
export interface Source {
  /** As the recipe names it: a path in the project, or a URL without secrets. */
  readonly location: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** Of the HTTP answer, where there was one. */
  readonly etag?: string;
}

/** One rule of the contract and what it found. */
export interface ContractFinding {
  readonly rule: string;
  readonly onViolation: OnViolation;
  readonly violations: number;
  readonly examples: readonly string[];
  readonly message: string;
}

/** An immutable, content-addressed state of a dataset, as stored. */
export interface DatasetVersion {
  readonly id: string;
  readonly dataset: string;
  /** 1, 2, 3 … within the dataset. */
  readonly version: number;
  /** `<dataset>#<version>`: unique, so that two writers cannot take one number. */
  readonly slot: string;
  readonly digest: string;
  readonly size: number;
  readonly rowCount: number;
  readonly columns: readonly ColumnSchema[];
  readonly sources: readonly Source[];
  readonly profileDigest: string;
  readonly findings: readonly ContractFinding[];
  readonly quarantinedRows: number;
  /** Empty when no row was set aside. */
  readonly quarantineDigest: string;
  readonly pipelineRunId: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** When the same content last came again. ISO 8601, UTC. */
  readonly usedAt?: string;
}

/** The same content has the same id within a dataset. */
export const datasetVersionId = (dataset: string, digest: string): string =>
  `${dataset}@${digest.slice('sha256:'.length, 'sha256:'.length + 12)}`;

/** A dataset version in the contract's words. */
export const datasetVersionMessage = ({
  slot: _slot,
  usedAt: _usedAt,
  ...version
}: DatasetVersion): DatasetVersionMessage =>
  DatasetVersionMessage.fromPartial({
    ...version,
    columns: [...version.columns],
    sources: version.sources.map(sourceMessage),
    findings: version.findings.map(findingMessage),
  });

export const sourceMessage = ({ location, digest, size }: Source) => ({ location, digest, size });

export const findingMessage = (finding: ContractFinding) => ({ ...finding, examples: [...finding.examples] });
