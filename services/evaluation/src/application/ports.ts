import type { BlobStore } from '@millrace/blobs';
import type { Report } from '@millrace/contracts/evaluation';
import type { PythonEnvironments } from '@millrace/python-runtime';
import type { Measurement } from '../domain/measurement.ts';
import type { CustomMetricsInput, CustomMetricValues } from '../jobs/custom-metrics.job.ts';
import type { MeasureInput } from '../jobs/measure.job.ts';

/** A blob that the report refers to. */
export interface StoredBlob {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** A report with what belongs to it. Immutable. */
export interface ReportRecord {
  readonly report: Report;
  readonly card: StoredBlob;
  /** Everything measured, as JSON. */
  readonly details: StoredBlob;
  readonly warnings: readonly string[];
}

export interface ReportPage {
  readonly reports: readonly Report[];
  readonly nextCursor?: string;
}

export interface Reports {
  get(id: string): Promise<ReportRecord | undefined>;
  /** Stores it with its event. When the id exists already, the stored record stands and is returned. */
  add(record: ReportRecord): Promise<ReportRecord>;
  /** Newest first. */
  list(modelName: string, page: { readonly limit: number; readonly cursor?: string }): Promise<ReportPage>;
  /** The newest on exactly this model, and this data unless `dataDigest` is empty. */
  newest(modelDigest: string, dataDigest: string): Promise<Report | undefined>;
}

/** The model that serves now under a registered name. */
export interface Champion {
  /** `flights/2` */
  readonly reference: string;
  /** Digest of its package. */
  readonly digest: string;
}

/** Finds the champion; `undefined` when there is none. Throws `Unavailable` when the registry does not answer. */
export type FindChampion = (
  modelName: string,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
) => Promise<Champion | undefined>;

export interface JobControl {
  readonly signal: AbortSignal;
  readonly onProgress: (fraction: number, message: string) => void;
}

/** What evaluating a model needs from outside. */
export interface EvaluationContext {
  readonly reports: Reports;
  readonly blobs: BlobStore;
  readonly findChampion: FindChampion;
  readonly measure: (input: MeasureInput, control: JobControl) => Promise<Measurement>;
  readonly computeCustomMetrics: (
    input: CustomMetricsInput,
    files: { readonly project: string; readonly work: string },
    signal: AbortSignal,
  ) => Promise<CustomMetricValues>;
  readonly environments: PythonEnvironments;
  /** A directory of the service's own. */
  readonly tempDir: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
