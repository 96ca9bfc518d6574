import type { BlobStore } from '@millrace/blobs';
import type { DownloadLimits } from '../adapters/http-download.ts';
import type { PythonSettings } from '../adapters/python-workshop.ts';
import type { DatasetStore } from './dataset-store.ts';

/** What both steps work with. */
export interface StepDependencies {
  readonly blobs: BlobStore;
  readonly datasets: DatasetStore;
  readonly tempDir: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Of one step's query engine, with its unit. */
  readonly memoryLimit: string;
  readonly downloads: DownloadLimits;
  readonly python: PythonSettings;
}

export const parquetMediaType = 'application/vnd.apache.parquet';
