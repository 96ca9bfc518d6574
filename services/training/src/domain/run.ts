import { createHash } from 'node:crypto';
import type { Artifact } from '@millrace/contracts/step';
import type { Environment, RunStatus } from '@millrace/contracts/training';

/** A tracking run as it is stored. Times are ISO 8601, UTC. */
export interface RunDocument {
  readonly id: string;
  readonly experimentId: string;
  readonly name: string;
  readonly status: RunStatus;
  readonly params: Readonly<Record<string, string>>;
  /** Latest value of each metric. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly artifacts: readonly Artifact[];
  readonly environment: Environment;
  readonly codeCommit: string;
  readonly codeDirtyDigest: string;
  readonly seed: number;
  readonly parentRunId: string;
  readonly pipelineRunId: string;
  readonly datasetVersionId: string;
  readonly modelDigest: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly error: string;
  /** Warnings and figures of the step that made it, to answer a repeated command with. */
  readonly summary?: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

export interface ExperimentDocument {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
}

const hexId = (...parts: readonly string[]): string =>
  createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32);

/** The same for every delivery of one attempt, so that a repeated command finds its run. */
export const runIdOf = (pipelineRunId: string, step: string, attempt: number): string =>
  hexId('run', pipelineRunId, step, String(attempt));

/** The run of a search's trial. */
export const trialRunId = (parentRunId: string, trial: number): string =>
  hexId('trial', parentRunId, String(trial));

/** One experiment per name. */
export const experimentIdOf = (name: string): string => hexId('experiment', name);

/** Parameters as tracking keeps them: text. Nested values as JSON. */
export const paramTexts = (params: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );

/** The same for parameters of Python code, in its own words, as MLflow logs them: `None`, `True`. */
export const pythonParamTexts = (params: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(paramTexts(params)).map(([name, text]) => [name, pythonWords[text] ?? text]),
  );

const pythonWords: Readonly<Record<string, string>> = { null: 'None', true: 'True', false: 'False' };

/** The metrics under names that begin with `prefix`. */
export const prefixed = (prefix: string, metrics: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${prefix}${name}`, value]));

/** The metrics that have a value: one that is not defined has none to be compared or stored. */
export const finiteOnly = (metrics: Readonly<Record<string, unknown>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(metrics).flatMap(([name, value]) =>
      typeof value === 'number' && Number.isFinite(value) ? [[name, value]] : [],
    ),
  );
