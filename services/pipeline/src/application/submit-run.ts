import type { Actor } from '@millrace/contracts/common';
import type { ProjectSnapshot } from '@millrace/contracts/step';
import { Conflict, Internal } from '@millrace/errors';
import { createRun } from '../domain/new-run.ts';
import { numberRun } from '../domain/project.ts';
import type { PipelineRun, RunCause } from '../domain/run.ts';
import type { PipelineContext } from './context.ts';
import { checkSnapshot, type ResolvedProject, resolveProject } from './open-project.ts';

export interface SubmitRun {
  readonly snapshot: ProjectSnapshot;
  readonly profile: string;
  readonly fromStep: string;
  readonly toStep: string;
  readonly noCache: boolean;
  readonly actor: Actor;
  /** The same key gives the same run; empty: a new run each time. */
  readonly idempotencyKey: string;
  readonly cause?: RunCause;
  /** Trace of the request, when the run belongs to it. */
  readonly trace?: { readonly traceId: string; readonly spanId: string; readonly sampled: boolean };
}

/** Submits a run; it is durable when this resolves. Throws `Invalid` with everything wrong with the project. */
export const submitRun = async (context: PipelineContext, request: SubmitRun): Promise<PipelineRun> => {
  const existing = await findSubmitted(context, request.idempotencyKey);
  if (existing !== undefined) return existing;
  const snapshot = checkSnapshot(request.snapshot);
  const project = await resolveProject(context, snapshot, request.profile, request.toStep);
  const id = await claimRunId(context, request.idempotencyKey);
  // Checks that the steps exist before anything is written down, with a number that is not yet known.
  const draft = draftRun(context, request, project, id);
  const number = await takeNumber(context, request, snapshot, id);
  const run = { ...draft, number };
  await insertOnce(context, run);
  context.wake(id, run);
  return run;
};

const findSubmitted = async (
  { collections }: PipelineContext,
  idempotencyKey: string,
): Promise<PipelineRun | undefined> => {
  if (idempotencyKey === '') return undefined;
  const submission = await collections.submissions.get(idempotencyKey);
  return submission && (await collections.runs.get(submission.document.runId))?.document;
};

/** The id under which a repeated request finds the run, also when an earlier try ended before the run was written. */
const claimRunId = async (
  { collections, newId }: PipelineContext,
  idempotencyKey: string,
): Promise<string> => {
  const runId = newId('run');
  if (idempotencyKey === '') return runId;
  const submission = await collections.submissions.update(idempotencyKey, (current) =>
    current === undefined ? { document: { runId } } : undefined,
  );
  if (submission === undefined) throw new Internal(`submission ${idempotencyKey} vanished`);
  return submission.document.runId;
};

const draftRun = (
  context: PipelineContext,
  request: SubmitRun,
  project: ResolvedProject,
  id: string,
): PipelineRun => {
  const { trace, cause } = request;
  const spanIds = Array.from({ length: project.plan.length + 1 }, () => context.newSpanId());
  return createRun(
    {
      id,
      number: 0,
      project: request.snapshot,
      recipe: project.context,
      plan: project.plan,
      fromStep: request.fromStep,
      toStep: request.toStep,
      noCache: request.noCache,
      submittedBy: request.actor,
      ...(cause === undefined ? {} : { cause }),
      warnings: project.warnings,
      ...traceOf(trace ?? context.newTrace()),
      ...(trace === undefined ? {} : { parentSpanId: trace.spanId }),
      spanIds,
    },
    context.now(),
  ).run;
};

const traceOf = ({ traceId, sampled }: { readonly traceId: string; readonly sampled: boolean }) => ({
  traceId,
  sampled,
});

const takeNumber = async (
  { collections, now }: PipelineContext,
  { profile, cause }: SubmitRun,
  snapshot: ProjectSnapshot,
  runId: string,
): Promise<number> => {
  const project = await collections.projects.update(snapshot.project, (current) => ({
    document: numberRun(current?.document, runId, { snapshot, profile }, cause === undefined, now()),
  }));
  const number = project?.document.numbers[runId];
  if (number === undefined) throw new Internal(`run ${runId} got no number`);
  return number;
};

const insertOnce = async (context: PipelineContext, run: PipelineRun): Promise<void> => {
  try {
    await context.collections.runs.insert(run.id, run, context.messagesOf(run, [{ kind: 'run_requested' }]));
  } catch (thrown) {
    // A repeated request with the same idempotency key was faster; both mean the same run.
    if (!(thrown instanceof Conflict)) throw thrown;
  }
};
