import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BlobStore, openFsBlobStore, parseDigest } from '@millrace/blobs';
import { type TestBroker, testBroker } from '@millrace/broker';
import { type Bus, connectBus, type WorkContext } from '@millrace/bus';
import { trainingEvents } from '@millrace/contracts/training';
import { ErrorCode, Exhausted, FailedPrecondition, Invalid, Unavailable } from '@millrace/errors';
import { type DocumentStore, openSqliteStore } from '@millrace/store';
import { createLogger } from '@millrace/telemetry';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isWorkerStopping, StepFailed, type StepHandler } from '../src/index.ts';
import { type Cancellations, stepWorker } from '../src/step-worker.ts';
import { commandOf } from './steps-lab.ts';

let broker: TestBroker;
let bus: Bus;
let directory: string;
let store: DocumentStore;
let blobs: BlobStore;
beforeAll(async () => {
  broker = await testBroker();
  bus = await connectBus({ url: broker.url, service: 'training' });
});
afterAll(async () => {
  await bus.drain();
  await broker.stop();
});
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-steps-'));
  store = await openSqliteStore({ path: join(directory, 'store.sqlite'), service: 'training' });
  blobs = await openFsBlobStore({ directory: join(directory, 'blobs') });
});
afterEach(async () => {
  await blobs.close();
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

const nobody: Cancellations = { isCancelled: async () => false, watch: () => () => {} };

const optionsOf = (train: StepHandler, cancellations = nobody) => ({
  service: 'training',
  bus,
  store,
  blobs,
  log: createLogger('silent'),
  handlers: { train },
  events: trainingEvents,
  cancellations,
});

const workerOf = (train: StepHandler, cancellations = nobody) => stepWorker(optionsOf(train, cancellations));

const delivery = (signal = new AbortController().signal): WorkContext => ({
  delivery: 1,
  headers: {},
  signal,
});

/** Results that were committed, as they will be published. */
const reported = async () =>
  (await store.outbox.pending(100)).map(({ type, json }) => ({
    type,
    result: (JSON.parse(json) as { result: { lease: number; error?: { code: string } } }).result,
  }));

const fine: StepHandler = async () => ({ outputs: [] });

/** A handler that waits to be let go. */
const held = () => {
  const begun = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const handler: StepHandler = async () => {
    begun.resolve();
    await go.promise;
    return { outputs: [], summary: { by: 'held' } };
  };
  return { handler, begun: begun.promise, release: () => go.resolve() };
};

const untilAborted: StepHandler = ({ signal }) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('told to stop'))));

describe('a step', () => {
  it('commits its result with its event, outputs and figures', async () => {
    const worker = workerOf(async ({ input, command }) => ({
      outputs: [{ name: 'model', kind: 'model', id: `${input('train').id}-${command.attempt}` }],
      summary: { rows: 3 },
      warnings: ['few rows'],
    }));
    const inputs = [
      { name: 'train', kind: 'split', id: 's', digest: '', size: 0, mediaType: '', attributes: {} },
    ];
    expect(await worker(commandOf('run', { inputs }), delivery())).toEqual({ kind: 'done' });
    const [event, ...others] = await reported();
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      type: trainingEvents.stepSucceeded.type,
      result: {
        pipelineRunId: 'run',
        attempt: 1,
        lease: 1,
        outputs: [{ name: 'model', id: 's-1' }],
        summary: { rows: 3 },
        warnings: ['few rows'],
      },
    });
  });

  it('that the service does not know is rejected', async () => {
    const outcome = await workerOf(fine)(commandOf('run', { step: 'bake' }), delivery());
    expect(outcome).toEqual({ kind: 'reject', reason: 'training has no step "bake"' });
    expect(await reported()).toEqual([]);
  });

  it.each([
    ['its error', new FailedPrecondition('gate failed', { hint: 'lower it' }), 'failed_precondition', false],
    ['whether it can be tried again', new Unavailable('registry is away'), 'unavailable', true],
    ['a defect as one', new TypeError('x is undefined'), 'internal', false],
  ])('that fails reports %s', async (_, thrown, code, retryable) => {
    await workerOf(() => Promise.reject(thrown))(commandOf('run'), delivery());
    expect(await reported()).toMatchObject([
      {
        type: trainingEvents.stepFailed.type,
        result: { error: { code, ...(retryable ? { retryable } : {}) } },
      },
    ]);
  });

  it('that fails after it made something reports that too', async () => {
    const made = { outputs: [{ name: 'card', kind: 'card' }], summary: { verdict: 'REJECTED' } };
    const worker = workerOf(() =>
      Promise.reject(new StepFailed(new FailedPrecondition('gate failed'), made)),
    );
    await worker(commandOf('run'), delivery());
    expect(await reported()).toMatchObject([
      { result: { error: { code: 'failed_precondition' }, outputs: [{ name: 'card' }] } },
    ]);
  });

  it('that fails in the user’s code shows error, frames and warnings on a card', async () => {
    const error = new Invalid('steps/train.ts:3:9: Error: <b>no</b> rows', {
      hint: 'Fix the step function.',
      details: { stack: 'at fit (steps/train.ts:3:9)' },
    });
    const made = { outputs: [{ name: 'log', kind: 'log' }], warnings: ['few rows'] };
    await workerOf(() => Promise.reject(new StepFailed(error, made)))(commandOf('run'), delivery());
    const [event] = await reported();
    const { outputs } = (
      event as unknown as { result: { outputs: { name: string; kind: string; digest: string }[] } }
    ).result;
    expect(outputs.map(({ kind }) => kind)).toEqual(['log', 'card']);
    const page = new TextDecoder().decode(await blobs.read(parseDigest(outputs[1]?.digest ?? ''), 1e6));
    for (const fact of [
      'Failed',
      '&lt;b&gt;no&lt;/b&gt; rows',
      'at fit (steps/train.ts:3:9)',
      'few rows',
      'millrace inspect run',
    ])
      expect(page).toContain(fact);
    expect(page).not.toContain('<b>no');
  });

  it('that fails is reported although its card cannot be stored', async () => {
    const put = () => Promise.reject(new Exhausted('no space left'));
    const worker = stepWorker({
      ...optionsOf(() => Promise.reject(new FailedPrecondition('gate failed'))),
      blobs: { put },
    });
    await worker(commandOf('run'), delivery());
    expect(await reported()).toMatchObject([{ result: { error: { code: 'failed_precondition' } } }]);
  });

  it('that lacks an input fails as a defect and names it', async () => {
    await workerOf(async ({ input }) => ({ outputs: [input('model')] }))(commandOf('run'), delivery());
    expect(await reported()).toMatchObject([
      { result: { error: { message: expect.stringContaining('"model"') } } },
    ]);
  });
});

describe('the lease of an attempt', () => {
  it('keeps a worker whose attempt was taken over from reporting', async () => {
    const zombie = held();
    const first = workerOf(zombie.handler)(commandOf('run'), delivery());
    await zombie.begun;
    expect(await workerOf(fine)(commandOf('run'), delivery())).toEqual({ kind: 'done' });
    zombie.release();
    expect(await first).toMatchObject({ kind: 'ignored', reason: expect.stringContaining('taken over') });
    expect(await reported()).toMatchObject([{ result: { lease: 2 } }]);
  });

  it('lets the later worker report even when the earlier one ends in between', async () => {
    const zombie = held();
    const later = held();
    const first = workerOf(zombie.handler)(commandOf('run'), delivery());
    await zombie.begun;
    const second = workerOf(later.handler)(commandOf('run'), delivery());
    await later.begun;
    zombie.release();
    expect((await first).kind).toBe('ignored');
    later.release();
    expect(await second).toEqual({ kind: 'done' });
    expect(await reported()).toMatchObject([{ result: { lease: 2 } }]);
  });

  it('is not given for an attempt that has ended: a repeated command does and reports nothing', async () => {
    let done = 0;
    const worker = workerOf(async () => {
      done += 1;
      return { outputs: [] };
    });
    for (const _ of [1, 2, 3]) await worker(commandOf('run'), delivery());
    expect(done).toBe(1);
    expect(await reported()).toHaveLength(1);
  });

  it('is one per attempt: a retry is new work', async () => {
    const worker = workerOf(fine);
    await worker(commandOf('run'), delivery());
    await worker(commandOf('run', { attempt: 2 }), delivery());
    expect(await reported()).toMatchObject([{ result: { lease: 1 } }, { result: { lease: 1 } }]);
  });
});

describe('a step is ended', () => {
  it('by its timeout, with the hint how to raise it', async () => {
    await workerOf(untilAborted)(commandOf('run', { timeoutSeconds: 0.05 }), delivery());
    expect(await reported()).toMatchObject([
      { result: { error: { code: ErrorCode.timedOut, hint: expect.stringContaining('`timeout`') } } },
    ]);
  });

  it('before it begins, when its run was given up', async () => {
    let begun = false;
    const worker = workerOf(
      async () => {
        begun = true;
        return { outputs: [] };
      },
      { ...nobody, isCancelled: async () => true },
    );
    await worker(commandOf('run'), delivery());
    expect(begun).toBe(false);
    expect(await reported()).toMatchObject([{ result: { error: { code: ErrorCode.cancelled } } }]);
  });

  it('while it works, when its run is given up', async () => {
    let giveUp = () => {};
    let watching = 0;
    const worker = workerOf(
      (context) => {
        queueMicrotask(giveUp);
        return untilAborted(context);
      },
      {
        ...nobody,
        watch: (_, onCancel) => {
          watching += 1;
          giveUp = onCancel;
          return () => {
            watching -= 1;
          };
        },
      },
    );
    await worker(commandOf('run'), delivery());
    expect(await reported()).toMatchObject([{ result: { error: { code: ErrorCode.cancelled } } }]);
    expect(watching).toBe(0);
  });

  it('by a shutdown without a word, and goes on with another worker', async () => {
    const stop = new AbortController();
    let reason: unknown;
    const outcome = await workerOf((context) => {
      context.signal.addEventListener('abort', () => {
        reason = context.signal.reason;
      });
      queueMicrotask(() => stop.abort());
      return untilAborted(context);
    })(commandOf('run'), delivery(stop.signal));
    expect(outcome).toMatchObject({ kind: 'retry', delayMs: 0 });
    expect(isWorkerStopping(reason)).toBe(true);
    expect(await reported()).toEqual([]);
    await workerOf(fine)(commandOf('run'), delivery());
    expect(await reported()).toMatchObject([{ result: { lease: 2 } }]);
  });

  it('by a shutdown while it is still asked whether its run was given up', async () => {
    const stop = new AbortController();
    let begun = false;
    const worker = workerOf(
      async () => {
        begun = true;
        return { outputs: [] };
      },
      {
        ...nobody,
        isCancelled: async () => {
          stop.abort();
          return false;
        },
      },
    );
    expect((await worker(commandOf('run'), delivery(stop.signal))).kind).toBe('retry');
    expect(begun).toBe(false);
  });
});

describe('progress', () => {
  it('reaches who watches the run', async () => {
    const seen: unknown[] = [];
    const watching = bus.subscribeProgress('millrace.progress.run.>', (json) => seen.push(json));
    await bus.internals.nc.flush();
    await workerOf(async ({ progress }) => {
      progress(0.5, 'half way');
      progress(-1, 'who knows');
      return { outputs: [] };
    })(commandOf('run'), delivery());
    await expect
      .poll(() => seen)
      .toMatchObject([
        { pipelineRunId: 'run', step: 'train', attempt: 1, fraction: 0.5, message: 'half way' },
        { fraction: -1, message: 'who knows' },
      ]);
    await watching.stop();
  });
});
