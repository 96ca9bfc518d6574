/** What a service says of itself and of what it stands on. Numbers are bytes where nothing else is said. */
export interface ServiceReport {
  readonly service: string;
  readonly version: string;
  /** Of Node. */
  readonly node: string;
  readonly pid: number;
  readonly host: string;
  /** ISO 8601, by the clock of its machine. */
  readonly time: string;
  /** Milliseconds since its process began. */
  readonly uptimeMs: number;
  /** By dependency; empty when it is ready. */
  readonly problems: Readonly<Record<string, string>>;
  readonly store: {
    readonly kind: 'sqlite' | 'mongodb';
    readonly problem?: string;
    /** Messages that the broker does not have yet. */
    readonly unsent?: number;
    /** ISO 8601: since when the oldest of them waits. */
    readonly oldestUnsent?: string;
  };
  readonly blobs: { readonly kind: 'directory' | 's3'; readonly problem?: string };
  readonly disk?: DiskReport;
  /** Where the system tells. */
  readonly files?: { readonly open: number; readonly limit: number };
  readonly certificates: readonly CertificateReport[];
  /** Where spans go, besides the gateway; absent when nowhere. */
  readonly tracesTo?: string;
}

export interface DiskReport {
  readonly path: string;
  readonly free: number;
  readonly total: number;
  /** 0 of 0 where the file system does not count them. */
  readonly freeInodes: number;
  readonly totalInodes: number;
}

export interface CertificateReport {
  readonly file: string;
  /** ISO 8601. */
  readonly notAfter: string;
}

export interface StreamDiagnosis {
  readonly name: string;
  readonly messages: number;
  readonly problem?: string;
  readonly replicas?: { readonly wanted: number; readonly current: number };
}

export interface ConsumerDiagnosis {
  readonly stream: string;
  readonly name: string;
  readonly pending: number;
  readonly unacknowledged: number;
  readonly stalledMs: number;
  readonly problem?: string;
}

/** What the gateway finds out about the whole installation. */
export interface Diagnosis {
  /** ISO 8601, by the gateway's clock. */
  readonly time: string;
  /** By name; what does not answer has `problem` instead of a report. */
  readonly services: Readonly<
    Record<
      string,
      | {
          readonly report: ServiceReport /** How far its clock is off the gateway's. */;
          readonly skewMs: number;
        }
      | { readonly problem: string }
    >
  >;
  readonly broker:
    | {
        readonly version: string;
        readonly skewMs: number;
        readonly streams: readonly StreamDiagnosis[];
        readonly consumers: readonly ConsumerDiagnosis[];
      }
    | { readonly problem: string };
  readonly access: {
    /** Whether anybody who reaches the gateway may do everything. */
    readonly open: boolean;
    readonly onLoopback: boolean;
  };
}

/**
 * How far another clock is surely off, milliseconds; positive: ahead. It was read at some moment between question and answer:
 * within them nothing is known to be wrong, however long the answer took. `time` is what it told, all by ms since the epoch.
 */
export const clockSkewMs = (time: number, asked: number, answered: number): number => {
  if (time < asked) return Math.round(time - asked);
  return time > answered ? Math.round(time - answered) : 0;
};
