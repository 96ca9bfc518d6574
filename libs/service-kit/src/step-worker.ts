import type { BlobStore } from '@millrace/blobs';
import type { Bus, Outcome, WorkContext } from '@millrace/bus';
import type { EventDefinition } from '@millrace/contracts';
import {
  Artifact,
  type StepCommand,
  type StepFailure,
  StepProgress,
  type StepSuccess,
} from '@millrace/contracts/step';
import {
  asMillraceError,
  Cancelled,
  ErrorCode,
  Internal,
  isRetryable,
  type MillraceError,
  TimedOut,
} from '@millrace/errors';
import type { Collection, DocumentStore, NewMessage } from '@millrace/store';
import { activeTraceHeaders, inSpan, type Logger } from '@millrace/telemetry';
import { eventMessage } from './event-message.ts';
import { failureCard, putCard } from './step-card.ts';

/** What a step handler works with. */
export interface StepContext {
  readonly command: StepCommand;
  /** Aborted on cancel, timeout, lost lease and shutdown; the reason is an error of the taxonomy. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Tells watchers how far it is; `fraction` 0 to 1, or negative when unknown. */
  progress(fraction: number, message: string): void;
  /** The input of that name. Throws `Internal` when the pipeline did not give it. */
  input(name: string): Artifact;
}

export interface StepResult {
  readonly outputs: readonly Partial<Artifact>[];
  /** Figures worth showing beside the step. */
  readonly summary?: Readonly<Record<string, unknown>>;
  readonly warnings?: readonly string[];
}

/** Does one step. It must be safe to repeat: the same command may be given again after a crash. */
export type StepHandler = (context: StepContext) => Promise<StepResult>;

/** Throw it to fail a step that nevertheless made something worth looking at. */
export class StepFailed extends Error {
  readonly error: MillraceError;
  readonly result: StepResult;

  constructor(error: MillraceError, result: StepResult) {
    super(error.message, { cause: error });
    this.name = 'StepFailed';
    this.error = error;
    this.result = result;
  }
}

/** One attempt of a step, as its worker keeps it. */
interface StepExecution {
  readonly pipelineRunId: string;
  readonly step: string;
  readonly attempt: number;
  readonly state: 'claimed' | 'succeeded' | 'failed';
  /** Fencing token: rises with each worker that takes the attempt over. */
  readonly lease: number;
}

export interface StepWorkerOptions {
  readonly service: string;
  readonly bus: Bus;
  readonly store: DocumentStore;
  /** Where cards of failed steps go. */
  readonly blobs: Pick<BlobStore, 'put'>;
  readonly log: Logger;
  readonly handlers: Readonly<Record<string, StepHandler>>;
  readonly events: {
    readonly stepSucceeded: EventDefinition<{ result?: StepSuccess | undefined }>;
    readonly stepFailed: EventDefinition<{ result?: StepFailure | undefined }>;
  };
  /** Aborted runs are looked up and watched here. */
  readonly cancellations: Cancellations;
}

/** Knows which pipeline runs were given up. */
export interface Cancellations {
  isCancelled(pipelineRunId: string): Promise<boolean>;
  /** Calls back once when the run is given up; returns how to stop watching. */
  watch(pipelineRunId: string, onCancel: () => void): () => void;
}

type Finish =
  | { readonly success: StepResult }
  | { readonly failure: MillraceError; readonly made?: StepResult };

/**
 * Takes step commands for one service: claims the attempt under a rising lease, runs the handler, and commits the
 * result with its event in one write that only the holder of the current lease can make. A worker that lost its
 * lease (paused, partitioned) therefore cannot report, and a repeated command reports nothing twice.
 */
export const stepWorker = (options: StepWorkerOptions) => {
  const executions: Collection<StepExecution> = options.store.collection({ name: 'step_executions' });

  return async (command: StepCommand, work: WorkContext): Promise<Outcome> => {
    const key = `${command.pipelineRunId}.${command.step}.${command.attempt}`;
    const handler = options.handlers[command.step];
    if (handler === undefined) {
      return { kind: 'reject', reason: `${options.service} has no step "${command.step}"` };
    }
    const claim = await executions.update(
      key,
      (current) =>
        current !== undefined && current.document.state !== 'claimed'
          ? undefined
          : {
              document: {
                pipelineRunId: command.pipelineRunId,
                step: command.step,
                attempt: command.attempt,
                state: 'claimed',
                lease: (current?.document.lease ?? 0) + 1,
              },
            },
      // What ends the machine ends whoever could come back with this lease.
      { durability: 'delayed' },
    );
    // An update that decides nothing answers what is stored.
    if (claim === undefined || claim.document.state !== 'claimed') {
      return { kind: 'ignored', reason: 'this attempt has ended already' };
    }

    const started = performance.now();
    const finish = await inSpan(
      `step ${command.step}`,
      {
        attributes: {
          'millrace.pipeline_run.id': command.pipelineRunId,
          'millrace.step.name': command.step,
          'millrace.step.attempt': command.attempt,
        },
      },
      async () => withFailureCard(options, command, await run(options, handler, command, work)),
    );
    if ('failure' in finish && finish.failure === stopped) {
      return { kind: 'retry', reason: 'the worker is stopping', delayMs: 0 };
    }
    const lease = claim.document.lease;
    try {
      await executions.commit({
        key,
        expected: claim.version,
        document: { ...claim.document, state: 'success' in finish ? 'succeeded' : 'failed' },
        messages: [resultMessage(options, command, lease, finish, performance.now() - started)],
      });
    } catch (thrown) {
      if (asMillraceError(thrown).code !== ErrorCode.conflict) throw thrown;
      return { kind: 'ignored', reason: `lease ${lease} of ${key} was taken over by another worker` };
    }
    return { kind: 'done' };
  };
};

/** Marks a shutdown, which must not be reported as the step's failure: another worker goes on with it. */
const stopped = new Cancelled('the worker is stopping');

/** Whether a handler was told to stop by a shutdown, after which the same attempt goes on elsewhere. */
export const isWorkerStopping = (reason: unknown): boolean => reason === stopped;

const run = async (
  options: StepWorkerOptions,
  handler: StepHandler,
  command: StepCommand,
  work: WorkContext,
): Promise<Finish> => {
  const abort = new AbortController();
  const cancelled = new Cancelled(`run ${command.pipelineRunId} was cancelled`);
  const timeoutMs = command.timeoutSeconds * 1000;
  const timer =
    timeoutMs === 0
      ? undefined
      : setTimeout(() => abort.abort(timedOut(command.step, timeoutMs)), Math.min(timeoutMs, 2 ** 31 - 1));
  const onStop = () => abort.abort(stopped);
  work.signal.addEventListener('abort', onStop, { once: true });
  const unwatch = options.cancellations.watch(command.pipelineRunId, () => abort.abort(cancelled));
  try {
    if (work.signal.aborted) throw stopped;
    if (await options.cancellations.isCancelled(command.pipelineRunId)) throw cancelled;
    abort.signal.throwIfAborted();
    const success = await Promise.race([
      handler(stepContext(options, command, abort.signal)),
      aborted(abort.signal),
    ]);
    return { success };
  } catch (thrown) {
    // What a handler throws once it was told to stop is a consequence; the reason is what counts.
    if (abort.signal.aborted) return { failure: asMillraceError(abort.signal.reason) };
    if (thrown instanceof StepFailed) return { failure: thrown.error, made: thrown.result };
    const failure = asMillraceError(thrown);
    if (failure.code === ErrorCode.internal)
      options.log.error({ err: failure.cause ?? failure }, 'step failed');
    return { failure };
  } finally {
    clearTimeout(timer);
    unwatch();
    work.signal.removeEventListener('abort', onStop);
  }
};

/**
 * A step that failed shows why on a card, unless it made one itself or was given up by a person. A store that does not
 * take the card must not hide the failure.
 */
const withFailureCard = async (
  { blobs, log }: StepWorkerOptions,
  command: StepCommand,
  finish: Finish,
): Promise<Finish> => {
  if (!('failure' in finish) || finish.failure.code === ErrorCode.cancelled) return finish;
  const { failure, made } = finish;
  if (made?.outputs.some(({ kind }) => kind === 'card')) return finish;
  try {
    const card = await putCard(blobs, failureCard(command, failure, made));
    return { failure, made: { ...made, outputs: [...(made?.outputs ?? []), card] } };
  } catch (thrown) {
    log.warn({ err: thrown }, 'the card of the failed step could not be stored');
    return finish;
  }
};

/** A handler has this long to clean up after it was told to stop, before its result is no longer waited for. */
const abortGraceMs = 5_000;

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => setTimeout(() => reject(signal.reason), abortGraceMs).unref(), {
      once: true,
    });
  });

const timedOut = (step: string, timeoutMs: number) =>
  new TimedOut(`${step} did not end within ${timeoutMs / 1000} s`, {
    hint: `Raise \`timeout\` of the step in recipe.yaml, or make the step faster.`,
  });

const stepContext = (options: StepWorkerOptions, command: StepCommand, signal: AbortSignal): StepContext => ({
  command,
  signal,
  log: options.log.child({ pipelineRunId: command.pipelineRunId, step: command.step }),
  progress: (fraction, message) =>
    options.bus.publishProgress(
      `millrace.progress.${command.pipelineRunId}.${command.step}`,
      StepProgress.toJSON(
        StepProgress.fromPartial({
          pipelineRunId: command.pipelineRunId,
          step: command.step,
          attempt: command.attempt,
          fraction,
          message,
        }),
      ),
    ),
  input: (name) => {
    const found = command.inputs.find((artifact) => artifact.name === name);
    if (found === undefined) throw new Internal(`step ${command.step} was not given its input "${name}"`);
    return found;
  },
});

const resultMessage = (
  { events }: StepWorkerOptions,
  command: StepCommand,
  lease: number,
  finish: Finish,
  workMs: number,
): NewMessage => {
  const { pipelineRunId, step, attempt } = command;
  const key = `${pipelineRunId}.${step}.${attempt}`;
  const result = 'success' in finish ? finish.success : finish.made;
  const outputs = (result?.outputs ?? []).map((output) => Artifact.fromPartial(output));
  const common = { pipelineRunId, step, attempt, lease, outputs, summary: result?.summary, workMs };
  const headers = activeTraceHeaders();
  if ('success' in finish) {
    const success = { ...common, warnings: [...(result?.warnings ?? [])] };
    return eventMessage(events.stepSucceeded, key, { result: success }, headers);
  }
  const { failure } = finish;
  const error = {
    code: failure.code,
    message: failure.message,
    hint: failure.hint ?? '',
    violations: [...failure.violations],
    retryable: isRetryable(failure.code),
    ...(failure.details.stack === undefined ? {} : { stack: failure.details.stack }),
  };
  return eventMessage(events.stepFailed, key, { result: { ...common, error } }, headers);
};
