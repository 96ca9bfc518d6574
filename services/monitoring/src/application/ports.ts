import type { Alert } from '@millrace/contracts/monitoring';
import type { Collection } from '@millrace/store';
import type { ColumnProfile, DatasetProfile } from '@millrace/tabular';
import type { Logger } from '@millrace/telemetry';
import type { Binding, DriftSettings, MonitorDocument } from '../domain/monitor.ts';
import type { StreamState } from '../domain/stream-state.ts';
import type { Measured, WindowIdentity, WindowReport } from '../domain/window-report.ts';
import type { Baseline, WindowSketchJson } from '../domain/window-sketch.ts';

/** Part of a window's sketch. Key: `<endpoint>/<number>/<part>`. */
export interface PartDocument {
  readonly sketch: WindowSketchJson;
}

export interface PredictionOrigin {
  readonly revision: number;
  /** ISO 8601. */
  readonly time: string;
  /** Empty when the request had none. */
  readonly traceId: string;
}

/** Predictions of a window that wait for labels. Key: `<endpoint>/<number>/<part>`. */
export interface PredictionsDocument {
  readonly endpoint: string;
  readonly number: number;
  /** Prediction id → position in the lists. */
  readonly rows: Readonly<Record<string, number>>;
  readonly predictions: readonly (number | string | boolean)[];
  readonly probabilities: readonly Readonly<Record<string, number>>[];
  /** Who answered, when and in which trace; absent in documents of before this was kept. */
  readonly origins?: readonly PredictionOrigin[];
  /** Prediction id → ground truth, of those that came. */
  readonly labels: Readonly<Record<string, number | string>>;
  /** Number of `labels`, to be found by; absent in documents of before this was kept. */
  readonly labelled?: number;
}

/** A label that came before its prediction. Key: `<endpoint>/<prediction id>`. */
export interface EarlyLabel {
  readonly endpoint: string;
  readonly predictionId: string;
  readonly label: number | string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A closed window. Key: the window's id. */
export interface WindowDocument extends WindowReport {
  readonly endpoint: string;
  readonly number: number;
}

/** An alert with what it is found by. Key: the alert's id. */
export interface AlertDocument {
  readonly endpoint: string;
  readonly rule: string;
  /** `open` until resolved. */
  readonly status: 'open' | 'resolved';
  readonly raisedAt: string;
  readonly alert: Alert;
}

/** The last time a monitor asked for retraining. Key: the endpoint. */
export interface RetrainingDocument {
  readonly windowId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Key: the reaction's name. */
export interface ReactionDocument {
  readonly enabled: boolean;
  readonly fired: number;
  readonly lastFiredAt: string | null;
}

/** What predictions are compared with where no profile is pinned. Key: `<endpoint>/<binding>`. */
export interface LearnedDocument {
  readonly profile: ColumnProfile;
  readonly windowId: string;
}

export interface Collections {
  readonly monitors: Collection<MonitorDocument>;
  readonly streams: Collection<StreamState>;
  readonly parts: Collection<PartDocument>;
  readonly predictions: Collection<PredictionsDocument>;
  readonly earlyLabels: Collection<EarlyLabel>;
  readonly windows: Collection<WindowDocument>;
  readonly alerts: Collection<AlertDocument>;
  readonly retrainings: Collection<RetrainingDocument>;
  readonly reactions: Collection<ReactionDocument>;
  readonly learned: Collection<LearnedDocument>;
}

/** Reads a profile by the digest of its blob. Throws `NotFound`, or `Invalid` when the blob is no profile. */
export type LoadProfile = (digest: string) => Promise<DatasetProfile>;

/** Reads the profiles that a binding names. Throws `NotFound`, or `Invalid` when a blob is no profile. */
export type LoadBaseline = (binding: Binding, settings: DriftSettings, seed: number) => Promise<Baseline>;

/** Measures a complete window; see `reportWindow`. */
export type MeasureWindow = (identity: WindowIdentity, measured: Measured) => Promise<WindowReport>;

/** Bounds of what waits for labels, per endpoint. */
export interface LabelRetention {
  readonly predictions: number;
  readonly ageMs: number;
}

export interface Dependencies {
  readonly collections: Collections;
  readonly loadProfile: LoadProfile;
  readonly loadBaseline: LoadBaseline;
  readonly measureWindow: MeasureWindow;
  readonly labelRetention: LabelRetention;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly newId: (prefix: string) => string;
  readonly log: Logger;
  /** Told of each window that was measured; after a crash, of one twice. */
  readonly onWindowClosed?: (report: WindowReport) => void;
}
