import type { Bus, BusInternals } from './bus.ts';
import { positionHeader } from './cloud-events.ts';
import type { OutboxPort } from './outbox-port.ts';
import { publishStored } from './publish-stored.ts';
import { publishedIds } from './published-ids.ts';
import { subjects } from './subjects.ts';
import { foundOrUndefined, streams } from './topology.ts';

export interface RepublishOptions {
  readonly bus: Bus;
  readonly outbox: OutboxPort;
  /** ISO 8601; messages committed from then on are published again. */
  readonly time: string;
  /** Only messages after this outbox position; default all. */
  readonly afterPosition?: number;
  /** Ids of messages to leave out. */
  readonly except?: ReadonlySet<string>;
}

const pageSize = 512;

/**
 * Publishes again what the outbox has sent since a time, in commit order: rebuilds a stream that lost
 * messages. Harmless where nothing was lost: consumers de-duplicate. Commands are left out when the stream
 * `STEPS` is older than they, because then it had them. Returns how many.
 */
export const republishSince = async (options: RepublishOptions): Promise<number> => {
  const { created } = await options.bus.internals.jsm.streams.info(streams.steps);
  const stepsSince = Date.parse(created);
  let position = options.afterPosition ?? 0;
  for (let count = 0; ; ) {
    const page = await options.outbox.sentSince(options.time, position, pageSize);
    for (const message of page) {
      if (message.entity === undefined && Date.parse(message.time) >= stepsSince) continue;
      if (options.except?.has(message.id) === true) continue;
      await publishStored(options.bus, message);
      count += 1;
    }
    const last = page.at(-1);
    if (last === undefined) return count;
    position = last.position;
  }
};

/** The relay keeps so many in flight, so around the last one that survived others may be missing. */
const slack = 512;

/**
 * Compares the stream `EVENTS` with the outbox and publishes again what is missing: all, when the stream was emptied
 * or made anew; the tail, when it fell back; what is missing in the middle, when the stream itself tells of holes. What
 * the stream still has is not published a second time. Returns how many it had lost.
 *
 * A queue does not tell what was done from what was lost. So where events were lost, or `commandsLost` says that the
 * queue fell back, all commands are sent again that it may have had: workers know those that they have done.
 */
export const rebuildIfLost = async ({
  bus,
  outbox,
  commandsLost = false,
}: Pick<RepublishOptions, 'bus' | 'outbox'> & { readonly commandsLost?: boolean }): Promise<number> => {
  const count = await rebuildEvents(bus, outbox);
  if (count > 0 || commandsLost) await republishCommands(bus, outbox);
  return count;
};

const republishCommands = async (bus: Bus, outbox: OutboxPort): Promise<void> => {
  const { limits } = bus.internals.topology;
  const time = new Date(Date.now() - limits.STEPS.maxAgeMs).toISOString();
  let position = 0;
  for (let count = 0; ; ) {
    const page = await outbox.sentSince(time, position, pageSize);
    for (const message of page) {
      if (message.entity !== undefined) continue;
      await publishStored(bus, message);
      count += 1;
    }
    const last = page.at(-1);
    if (last !== undefined) position = last.position;
    else if (count > 0) bus.internals.logger.warn({ count }, 'commands may be lost; sent them again');
    if (last === undefined) return;
  }
};

const rebuildEvents = async (bus: Bus, outbox: OutboxPort): Promise<number> => {
  const { internals } = bus;
  const survived = await lastSurvivingPosition(internals, bus.service);
  const time = new Date(Date.now() - internals.topology.limits.EVENTS.maxAgeMs).toISOString();
  const { state } = await internals.jsm.streams.info(streams.events);
  // Nobody deletes single events, so a number without a message was one.
  const hasHoles = (state.num_deleted ?? 0) > 0;
  if (!hasHoles && !(await hasSentEvents(outbox, time, survived))) return 0;
  const afterPosition = hasHoles ? 0 : Math.max(0, survived - slack);
  const [first] = await outbox.sentSince(time, afterPosition, 1);
  // Entities are published side by side, so that the stream's last event need not be the last one sent.
  const except = await publishedIds(internals, bus.service, first?.time ?? time);
  const count = await republishSince({ bus, outbox, time, afterPosition, except });
  if (count > 0) {
    internals.logger.warn({ count, afterPosition }, 'the broker had lost messages; published them again');
  }
  return count;
};

/** Whether events, not only commands, were sent after a position. */
const hasSentEvents = async (outbox: OutboxPort, time: string, afterPosition: number): Promise<boolean> => {
  for (let position = afterPosition; ; ) {
    const page = await outbox.sentSince(time, position, pageSize);
    if (page.some((message) => message.entity !== undefined)) return true;
    const last = page.at(-1);
    if (last === undefined) return false;
    position = last.position;
  }
};

/**
 * The outbox position of this service's last event in the stream; 0 when there is none. Looked up by each of its
 * subjects, because that is all that a service may read of the stream without a consumer.
 */
const lastSurvivingPosition = async ({ jsm }: BusInternals, service: string): Promise<number> => {
  const subjects_filter = `${subjects.events}.${service}.>`;
  const { state } = await jsm.streams.info(streams.events, { subjects_filter });
  let last = 0;
  for (const subject of Object.keys(state.subjects ?? {})) {
    const message = await foundOrUndefined(jsm.direct.getMessage(streams.events, { last_by_subj: subject }));
    const position = Number(message?.header.get(positionHeader) || 0);
    if (Number.isSafeInteger(position)) last = Math.max(last, position);
  }
  return last;
};
