import { Invalid } from '@millrace/errors';
import { Cron } from 'croner';

export type TriggerCondition =
  /** Five or six fields; the time zone is an IANA name. */
  | { readonly kind: 'cron'; readonly expression: string; readonly timeZone: string }
  /** NATS subject filter of events, and paths of their payload that must equal values. */
  | { readonly kind: 'event'; readonly subject: string; readonly equals: Readonly<Record<string, string>> }
  | { readonly kind: 'dataset'; readonly dataset: string };

/** One time that a trigger's condition was met. */
export interface Firing {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Scheduled time (ISO 8601) or id of the event. */
  readonly on: string;
  readonly outcome: 'started' | 'suppressed' | 'failed';
  /** Run that was started, or why none was. */
  readonly detail: string;
}

export interface Trigger {
  readonly name: string;
  readonly project: string;
  readonly profile: string;
  readonly condition: TriggerCondition;
  readonly enabled: boolean;
  readonly coolDownMs: number;
  /** Milliseconds since the epoch; events before it do not count. */
  readonly createdAt: number;
  /** Next scheduled time of a cron trigger. */
  readonly nextFireAt?: number;
  readonly lastFiredAt?: number;
  readonly lastRunId: string;
  /** Runs started. */
  readonly fired: number;
  /** Latest last. */
  readonly history: readonly Firing[];
}

const keptFirings = 50;

/** When a schedule is next due after a time; undefined when never. Throws `Invalid` on a bad expression or time zone. */
export const nextFireAt = (
  { expression, timeZone }: Extract<TriggerCondition, { kind: 'cron' }>,
  after: number,
): number | undefined => {
  const refuse = (why: string): never => {
    throw Invalid.field(
      'trigger.cron',
      `"${expression}"${timeZone === '' ? '' : ` in ${timeZone}`} is no schedule: ${why}`,
    );
  };
  const fields = expression.trim().split(/\s+/).length;
  if (fields !== 5 && fields !== 6) return refuse('it must have five or six fields');
  try {
    const schedule = new Cron(expression, { timezone: timeZone === '' ? 'UTC' : timeZone, paused: true });
    return schedule.nextRun(new Date(after))?.getTime();
  } catch (thrown) {
    return refuse(thrown instanceof Error ? thrown.message : String(thrown));
  }
};

/** What is known of the occasion on which a trigger's condition was met. */
export interface Occasion {
  /** Scheduled time (ISO 8601) or id of the event. */
  readonly on: string;
  /** Runs in whose trace the event happened. */
  readonly causingRuns: readonly {
    readonly id: string;
    readonly projectName: string;
    readonly ancestry: readonly string[];
  }[];
}

/** Why a trigger must not start a run now; undefined when it may. */
export const reasonAgainst = (trigger: Trigger, occasion: Occasion, now: number): string | undefined => {
  const rule = ruleName(trigger.name);
  const own = occasion.causingRuns.find(
    (run) => run.projectName === trigger.project || run.ancestry.includes(rule),
  );
  if (own !== undefined) return `${own.id} caused it, which would make the trigger start itself again`;
  const since = trigger.lastFiredAt === undefined ? undefined : now - trigger.lastFiredAt;
  if (since !== undefined && since < trigger.coolDownMs) {
    return `the cool-down lasts ${Math.ceil((trigger.coolDownMs - since) / 1000)} s more`;
  }
  return undefined;
};

/** `trigger:<name>`, as runs name what caused them. */
export const ruleName = (trigger: string): string => `trigger:${trigger}`;

/** Records a firing, once per occasion, and moves a schedule on. Schedules missed meanwhile are not made up for. */
export const recordFiring = (trigger: Trigger, firing: Firing): Trigger => {
  if (trigger.history.some(({ on }) => on === firing.on)) return trigger;
  const history = [...trigger.history, firing].slice(-keptFirings);
  const moved: Trigger = { ...trigger, history, nextFireAt: nextOf(trigger.condition, firing.at) };
  if (firing.outcome !== 'started') return moved;
  return { ...moved, lastFiredAt: firing.at, lastRunId: firing.detail, fired: trigger.fired + 1 };
};

const nextOf = (condition: TriggerCondition, after: number): number | undefined =>
  condition.kind === 'cron' ? nextFireAt(condition, after) : undefined;

/** What is looked at of an event. */
export interface SeenEvent {
  readonly subject: string;
  readonly type: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly data: unknown;
}

/** Whether an event meets a trigger's condition. */
export const isMetBy = (trigger: Trigger, event: SeenEvent, datasetSubject: string): boolean => {
  if (!trigger.enabled || event.time < trigger.createdAt) return false;
  const { condition } = trigger;
  if (condition.kind === 'dataset') {
    return (
      event.subject === datasetSubject && valueAt(event.data, 'datasetVersion.dataset') === condition.dataset
    );
  }
  if (condition.kind !== 'event' || !subjectMatches(condition.subject, event.subject)) return false;
  return Object.entries(condition.equals).every(([path, value]) => valueAt(event.data, path) === value);
};

/** Whether a NATS subject filter (`*` one token, `>` the rest) covers a subject. */
export const subjectMatches = (filter: string, subject: string): boolean => {
  const wanted = filter.split('.');
  const tokens = subject.split('.');
  for (const [index, token] of wanted.entries()) {
    if (token === '>') return tokens.length > index;
    if (token !== '*' && token !== tokens[index]) return false;
    if (tokens[index] === undefined) return false;
  }
  return wanted.length === tokens.length;
};

/** The scalar at a dotted path of a payload, as text. */
const valueAt = (data: unknown, path: string): string | undefined => {
  let value = data;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return typeof value === 'object' || value === undefined ? undefined : String(value);
};
