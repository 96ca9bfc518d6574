import { readLocalProject, uploadProject } from '@millrace/cli';
import type { MillraceClient } from '@millrace/client';
import type { Run } from '@millrace/contracts/pipeline';
import { Internal } from '@millrace/errors';
import { retried } from './calls.ts';
import type { TestInstallation } from './installation.ts';

export interface Submission {
  readonly root: string;
  readonly profile?: string;
  readonly idempotencyKey?: string;
}

/** Uploads a project and submits a run of it. */
export const submit = async (client: MillraceClient, submission: Submission): Promise<Run> => {
  const { root, profile = '', idempotencyKey = '' } = submission;
  const local = await readLocalProject(root, profile === '' ? undefined : profile);
  const snapshot = await uploadProject(client, local, () => {});
  const { run } = await client.pipeline.submitRun({ snapshot, profile, idempotencyKey });
  if (run === undefined) throw new Internal('no run was submitted');
  return run;
};

const pausing = new Set([
  'millrace.pipeline.run.step_waiting.v1',
  'millrace.pipeline.run.succeeded.v1',
  'millrace.pipeline.run.failed.v1',
  'millrace.pipeline.run.cancelled.v1',
]);

/** The run once it has ended or waits for approval, by its events. */
export const followToPause = async (
  { log, client }: TestInstallation,
  runId: string,
  deadlineMs?: number,
): Promise<Run> => {
  await log.waitFor(`the end of ${runId}`, ({ type, key }) => key === runId && pausing.has(type), deadlineMs);
  return getRun(client, runId);
};

/** The run once it has ended. */
export const followToEnd = async (
  { log, client }: TestInstallation,
  runId: string,
  deadlineMs?: number,
): Promise<Run> => {
  const ends = (type: string) => pausing.has(type) && !type.endsWith('step_waiting.v1');
  await log.waitFor(`the end of ${runId}`, ({ type, key }) => key === runId && ends(type), deadlineMs);
  return getRun(client, runId);
};

export const getRun = async (client: MillraceClient, id: string): Promise<Run> => {
  const { run } = await retried('the run', () => client.pipeline.getRun({ id }));
  if (run === undefined) throw new Internal(`there is no run ${id}`);
  return run;
};

/** `flights/3`, as the run registered it. */
export const modelVersionOf = (run: Run): { readonly model: string; readonly version: number } => {
  const artifact = run.steps.flatMap(({ outputs }) => outputs).find(({ kind }) => kind === 'model_version');
  const [model = '', version = '0'] = (artifact?.id ?? '').split('/');
  return { model, version: Number(version) };
};

/** `['ingest SUCCEEDED', …]` */
export const statesOf = (run: Run): readonly string[] =>
  run.steps.map(({ name, state }) => `${name} ${state.replace('STEP_STATE_', '')}`);
