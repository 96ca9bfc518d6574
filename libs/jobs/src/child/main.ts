import { rmSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import type { JobContext, JobMain } from '../job.ts';
import type { FromChild, ReplyMessage, RunMessage, ToChild } from '../protocol.ts';
import { describeThrown } from './describe-thrown.ts';
import { SpanRecorder } from './spans.ts';

/** The child's side of a job: waits for `run`, imports the entry, calls it, sends what came of it. */

const send = (message: FromChild): void => {
  // Without a channel there is nobody left to tell; `disconnect` ends the process.
  if (process.connected) process.send?.(message);
};

/** Sends the last message and ends: what it carries must be out before the process goes. */
const sendAndExit = (message: FromChild, code: number): void => {
  if (!process.connected) exit(code);
  process.send?.(message, undefined, undefined, () => exit(code));
};

const exit = process.exit.bind(process);
/** Made for this child alone. */
const directory = process.cwd();

const waiting = new Map<number, (value: unknown) => void>();
let questions = 0;

const ask = (value: unknown): Promise<unknown> => {
  questions += 1;
  const id = questions;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    // While it waits, the answer is what keeps the process alive.
    process.channel?.ref();
    send({ type: 'question', id, value });
  });
};

const answer = ({ id, value }: ReplyMessage): void => {
  waiting.get(id)?.(value);
  waiting.delete(id);
  if (waiting.size === 0) process.channel?.unref();
};

const contextFor = (message: RunMessage): JobContext => {
  const spans = new SpanRecorder(message.traceparent, (finished) => send({ type: 'spans', spans: finished }));
  return {
    progress: (fraction, text) => send({ type: 'progress', progress: { fraction, message: text } }),
    activity: (activity) => send({ type: 'activity', activity }),
    ask,
    span: (name, work, attributes) => spans.record(name, work, attributes),
  };
};

const run = async (message: RunMessage): Promise<void> => {
  // A job that waits for nothing at all would hang for ever if the channel kept the process alive.
  process.channel?.unref();
  const onEmpty = () =>
    fail(new Error('it waits for something that never happens: a promise is never settled'));
  process.once('beforeExit', onEmpty);
  if (message.userRoot !== undefined) refuseExit();
  try {
    const module = (await import(message.entry)) as { default: JobMain<unknown, unknown> };
    // Now, since it is killed in the end: for the children to come. Nothing where there is no cache.
    flushCompileCache();
    const output = await module.default(message.input, contextFor(message));
    process.removeListener('beforeExit', onEmpty);
    process.channel?.ref();
    send({ type: 'result', output });
  } catch (thrown) {
    process.removeListener('beforeExit', onEmpty);
    process.channel?.ref();
    send({ type: 'thrown', thrown: describeThrown(thrown) });
  }
};

const fail = (thrown: unknown): void => {
  process.channel?.ref();
  sendAndExit({ type: 'thrown', thrown: describeThrown(thrown), last: true }, 1);
};

/** User code that ends the process gets an error that names the line instead of a silent exit. */
const refuseExit = (): void => {
  const refused = (code?: number | string | null): never => {
    const error = new Error(`process.exit(${code ?? ''}) was called`);
    fail(error);
    throw error;
  };
  process.exit = refused as typeof process.exit;
};

process.on('message', (message: ToChild) => {
  if (message.type === 'run') void run(message);
  else answer(message);
});
process.on('disconnect', () => {
  rmSync(directory, { recursive: true, force: true });
  // What the job started goes too.
  process.kill(-process.pid, 'SIGKILL');
});
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

send({ type: 'ready' });
