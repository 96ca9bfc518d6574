import { Invalid, messageOf } from '@millrace/errors';
import type { Bus } from './bus.ts';
import type { OutboxPort } from './outbox-port.ts';
import { subjects } from './subjects.ts';
import { sleep } from './waiting.ts';

/** The last event of an entity that its owner has sent. */
export interface EntityHead {
  readonly entity: string;
  readonly sequence: number;
}

interface RecentRequest {
  /** ISO 8601: of events sent since then. For owners that do not know `windowMs` yet. */
  readonly sentSince: string;
  /** Of events sent within so many milliseconds, by the owner's clock: those of two machines may differ by hours. */
  readonly windowMs?: number;
  /** `registry.alias` */
  readonly kinds: readonly string[];
}

const pageSize = 1_000;
/** Entities of one answer; those beyond are seen with their next event, or by a gap. */
const mostEntities = 5_000;
const timeoutMs = 10_000;
/** How far back at least; a machine that is slow must not let anything slip between two questions. Milliseconds. */
const shortestWindowMs = 60_000;

export const isRecentRequest = (json: unknown): boolean =>
  (json as Partial<RecentRequest> | null)?.sentSince !== undefined;

/** Answers which entities have had events lately, and how far they are. Throws `Invalid` on a bad request. */
export const recentHeads = async (
  json: unknown,
  outbox: OutboxPort,
): Promise<{ readonly heads: readonly EntityHead[] }> => {
  const { windowMs, kinds, ...asked } = json as Partial<Record<keyof RecentRequest, unknown>>;
  const sentSince =
    typeof windowMs === 'number' ? new Date(Date.now() - windowMs).toISOString() : asked.sentSince;
  if (typeof sentSince !== 'string' || Number.isNaN(Date.parse(sentSince))) {
    throw Invalid.field('sentSince', 'must be a time');
  }
  if (!Array.isArray(kinds)) throw Invalid.field('kinds', 'must be a list');
  const heads = new Map<string, number>();
  for (let position = 0; heads.size < mostEntities; ) {
    const page = await outbox.sentSince(sentSince, position, pageSize);
    for (const { entity, sequence } of page) {
      if (entity === undefined || !kinds.includes(entity.slice(0, entity.indexOf('/')))) continue;
      heads.set(entity, Math.max(sequence, heads.get(entity) ?? 0));
    }
    const last = page.at(-1);
    if (last === undefined) break;
    position = last.position;
  }
  return { heads: [...heads].map(([entity, sequence]) => ({ entity, sequence })) };
};

export interface ReconcileOptions {
  readonly bus: Bus;
  /** `registry.alias` */
  readonly kinds: readonly string[];
  /** How often, ms. */
  readonly periodMs: number;
  readonly stopping: AbortSignal;
  /** Called with what the owner had sent a period ago; fetches what has not come since. */
  readonly expect: (head: EntityHead) => Promise<void>;
}

/**
 * Asks the owners now and then what they have sent lately, and one period later whether it came. A missing event is
 * otherwise seen only when the next one of its entity comes, which for an entity's last event is never.
 */
export const reconcile = async ({
  bus,
  kinds,
  periodMs,
  stopping,
  expect,
}: ReconcileOptions): Promise<void> => {
  const owners = Map.groupBy(kinds, (kind) => kind.slice(0, kind.indexOf('.')));
  const stopped = new Promise<void>((resolve) => {
    stopping.addEventListener('abort', () => resolve(), { once: true });
  });
  let due: readonly EntityHead[] = [];
  for (;;) {
    // Spread, so that not all consumers ask at once.
    await sleep(periodMs * (0.75 + Math.random() / 2), stopping);
    if (stopping.aborted) return;
    const windowMs = Math.max(3 * periodMs, shortestWindowMs);
    const sentSince = new Date(Date.now() - windowMs).toISOString();
    const look = async () => {
      for (const head of due) await expect(head);
      const answers = await Promise.all(
        [...owners].map(async ([owner, own]) => {
          const request = { sentSince, windowMs, kinds: own } satisfies RecentRequest;
          const answer = await bus.request(`${subjects.refill}.${owner}`, request, { timeoutMs });
          return (answer as { heads?: readonly EntityHead[] }).heads ?? [];
        }),
      );
      due = answers.flat();
    };
    try {
      // An owner that does not answer must not hold up the end.
      await Promise.race([look(), stopped]);
    } catch (thrown) {
      // The owner is away: it will be asked again.
      bus.internals.logger.debug({ err: thrown }, `not reconciled: ${messageOf(thrown)}`);
    }
  }
};
