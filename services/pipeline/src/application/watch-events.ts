import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus, TailedEvent } from '@millrace/bus';
import { ingestEvents } from '@millrace/contracts/ingest';
import { messageOf } from '@millrace/errors';
import { isMetBy, type SeenEvent, subjectMatches, type Trigger } from '../domain/trigger.ts';
import type { PipelineContext } from './context.ts';
import { fireTrigger } from './fire-trigger.ts';

const positionKey = 'event-triggers';
/** Events that met no condition are noted this often, so that a restart does not read them all again. */
const noteEvery = 200;
const retryMs = 1_000;

const datasetSubject = ingestEvents.datasetVersionCreated.subject;

/**
 * Fires event and dataset triggers. It reads the stream from where it stopped; a repeated event starts no second run, as
 * the event's id is the run's idempotency key.
 */
export class EventWatch {
  readonly #context: PipelineContext;
  readonly #bus: Pick<Bus, 'readEvents'>;
  #abort = new AbortController();
  #reading: Promise<void> = Promise.resolve();
  #changing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(context: PipelineContext, bus: Pick<Bus, 'readEvents'>) {
    this.#context = context;
    this.#bus = bus;
  }

  /** Reads what the present triggers need; call it again when they changed. */
  refresh(): Promise<void> {
    this.#changing = this.#changing.then(async () => {
      await this.#pause();
      if (this.#stopped) return;
      const triggers = await this.#triggers();
      if (triggers.length === 0) return;
      this.#abort = new AbortController();
      this.#reading = this.#read(triggers, this.#abort.signal);
    });
    return this.#changing;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#changing;
    await this.#pause();
  }

  async #pause(): Promise<void> {
    this.#abort.abort();
    await this.#reading;
  }

  async #triggers(): Promise<readonly Trigger[]> {
    const triggers: Trigger[] = [];
    for await (const { document } of this.#context.collections.triggers.scan()) {
      if (document.enabled && document.condition.kind !== 'cron') triggers.push(document);
    }
    return triggers;
  }

  async #read(triggers: readonly Trigger[], signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#readOn(triggers, signal);
      } catch (thrown) {
        if (signal.aborted) return;
        this.#context.log.warn({ error: messageOf(thrown) }, 'event triggers are interrupted; will go on');
        await sleep(retryMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #readOn(triggers: readonly Trigger[], signal: AbortSignal): Promise<void> {
    let unnoted = 0;
    const events = this.#bus.readEvents({
      filterSubjects: leastFilters(triggers.map(subjectOf)),
      since: await this.#since(triggers),
      signal,
    });
    for await (const event of events) {
      const fired = await this.#fireAll(triggers, event);
      unnoted = fired || unnoted >= noteEvery ? 0 : unnoted + 1;
      if (unnoted === 0) await this.#note(event.streamSequence);
    }
  }

  async #since(triggers: readonly Trigger[]): Promise<{ afterSequence: number } | { time: Date }> {
    const position = await this.#context.collections.positions.get(positionKey);
    if (position !== undefined) return { afterSequence: position.document.streamSequence };
    return { time: new Date(Math.min(...triggers.map(({ createdAt }) => createdAt))) };
  }

  async #note(streamSequence: number): Promise<void> {
    await this.#context.collections.positions.update(positionKey, () => ({ document: { streamSequence } }));
  }

  async #fireAll(triggers: readonly Trigger[], event: TailedEvent): Promise<boolean> {
    const seen: SeenEvent = { ...event, time: Date.parse(event.time) };
    const met = triggers.filter((trigger) => isMetBy(trigger, seen, datasetSubject));
    if (met.length === 0) return false;
    const causingRuns = await this.#causingRuns(event);
    for (const { name } of met) {
      const trigger = (await this.#context.collections.triggers.get(name))?.document;
      if (trigger?.enabled === true) await fireTrigger(this.#context, trigger, { on: event.id, causingRuns });
    }
    return true;
  }

  async #causingRuns(
    event: TailedEvent,
  ): Promise<readonly { id: string; projectName: string; ancestry: readonly string[] }[]> {
    const traceId = event.headers.traceparent?.split('-')[1];
    if (traceId === undefined) return [];
    const page = await this.#context.collections.runs.find({
      filter: { field: 'traceId', op: 'eq', value: traceId },
    });
    return page.items.map(({ document }) => ({
      id: document.id,
      projectName: document.projectName,
      ancestry: document.cause?.ancestry ?? [],
    }));
  }
}

const subjectOf = ({ condition }: Trigger): string =>
  condition.kind === 'event' ? condition.subject : datasetSubject;

/** The broker refuses filters of which one covers another. */
export const leastFilters = (filters: readonly string[]): readonly string[] => {
  const distinct = [...new Set(filters)];
  return distinct.filter(
    (filter) => !distinct.some((other) => other !== filter && subjectMatches(other, filter)),
  );
};
