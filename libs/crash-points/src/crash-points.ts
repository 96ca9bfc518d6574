import { appendFileSync, readFileSync, unlinkSync } from 'node:fs';
import { Invalid } from '@millrace/errors';

/** Moments at which a crash would hurt most, and where they are. */
export const crashPoints = {
  /** Store: everything is written, nothing is committed. */
  'before-commit': 'libs/store',
  /** Store: committed, and nobody was told. */
  'after-commit': 'libs/store',
  /** Store: one of a group of commits is written, the others are not. */
  'mid-batch': 'libs/store',
  /** Relay: the broker has the message, the outbox does not know. */
  'after-publish': 'libs/bus',
  /** Consumers and workers: the handling of a message has begun. */
  'mid-handling': 'libs/bus',
  /** Consumers and workers: the effect is recorded, the message is not acknowledged. */
  'before-ack': 'libs/bus',
  /** Blobs: a part of the content is written. */
  'mid-upload': 'libs/blobs',
  /** Blobs: the content is being read or copied, as when data or a model are loaded. */
  'mid-load': 'libs/blobs',
  /** Prediction plane: the model's files are read, it serves nobody yet. */
  'mid-model-load': 'services/deployment',
  /** Prediction plane: predictions were answered, and the batch that tells of them is not sent. */
  'mid-inference-batch': 'services/deployment',
} as const;
export type CrashPoint = keyof typeof crashPoints;

type Env = Readonly<Record<string, string | undefined>>;

const filePrefix = 'file:';

let passing: ((point: CrashPoint, entity: string | undefined) => void) | undefined;

/**
 * Ends this process as `kill -9` would, if a test asked for that here. Otherwise it does nothing. `entity` is whose event is
 * being handled.
 */
export const crashPoint = (point: CrashPoint, entity?: string): void => passing?.(point, entity);

/**
 * Reads what a test wants of this process. Without `MILLRACE_TEST_FAULTS=1` every other variable is ignored.
 *
 * `MILLRACE_CRASH_AT=<service>:<point>[:n][@<entity>]`: crash when the point is passed for the n-th time (default 1), at
 * every start anew; with an entity, passes at its events alone count. `MILLRACE_CRASH_AT=file:<path>`: the same text is looked up in the file at each pass, which is removed
 * before the crash, so that there is one. `MILLRACE_CRASH_LOG=<path>`: `<service>:<point>` is appended when a point
 * is passed for the first time.
 *
 * @throws Invalid on a text that names no point
 */
export const armCrashPoints = (service: string, env: Env): void => {
  passing = undefined;
  if (env.MILLRACE_TEST_FAULTS !== '1') return;
  const crasher = env.MILLRACE_CRASH_AT ? new Crasher(service, env.MILLRACE_CRASH_AT) : undefined;
  const log = env.MILLRACE_CRASH_LOG;
  const passed = new Set<CrashPoint>();
  passing = (point, entity) => {
    if (log !== undefined && !passed.has(point)) appendFileSync(log, `${service}:${point}\n`);
    passed.add(point);
    crasher?.pass(point, entity);
  };
};

interface Target {
  readonly service: string;
  readonly point: CrashPoint;
  readonly pass: number;
  readonly entity: string | undefined;
}

const isCrashPoint = (text: string | undefined): text is CrashPoint =>
  text !== undefined && Object.hasOwn(crashPoints, text);

const parseTarget = (text: string): Target => {
  const [place = '', entity] = splitOnce(text.trim(), '@');
  const [service = '', point, count = '1', ...rest] = place.split(':');
  if (service === '' || !isCrashPoint(point) || !/^[1-9]\d*$/.test(count) || rest.length > 0) {
    throw Invalid.field('MILLRACE_CRASH_AT', `"${text}" is not <service>:<point>[:n][@<entity>]`, {
      hint: `Points are ${Object.keys(crashPoints).join(', ')}.`,
    });
  }
  return { service, point, pass: Number(count), entity };
};

/** Names of entities may hold the separator themselves. */
const splitOnce = (text: string, separator: string): readonly [string, string?] => {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
};

class Crasher {
  readonly #service: string;
  readonly #file: string | undefined;
  readonly #fixed: Target | undefined;
  /** Text that was read last, and how often its point was passed since. */
  #armed: { readonly text: string; passes: number } | undefined;
  #passes = 0;

  constructor(service: string, setting: string) {
    this.#service = service;
    if (setting.startsWith(filePrefix)) this.#file = setting.slice(filePrefix.length);
    else this.#fixed = parseTarget(setting);
  }

  pass(point: CrashPoint, entity: string | undefined): void {
    if (this.#file === undefined) {
      if (!this.#concerns(this.#fixed, point, entity)) return;
      this.#passes += 1;
      if (this.#passes === this.#fixed?.pass) crash();
      return;
    }
    const text = readIfThere(this.#file);
    if (text === undefined || text === '') return;
    const target = parseTarget(text);
    if (!this.#concerns(target, point, entity)) return;
    if (this.#armed?.text !== text) this.#armed = { text, passes: 0 };
    this.#armed.passes += 1;
    if (this.#armed.passes >= target.pass && remove(this.#file)) crash();
  }

  #concerns(target: Target | undefined, point: CrashPoint, entity: string | undefined): boolean {
    if (target?.service !== this.#service || target.point !== point) return false;
    return target.entity === undefined || target.entity === entity;
  }
}

const readIfThere = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** Whether it was there: of several who try, one succeeds. */
const remove = (path: string): boolean => {
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
};

const crash = (): void => {
  process.kill(process.pid, 'SIGKILL');
};
