import { messageOf } from '@millrace/errors';
import type { Trigger } from '../domain/trigger.ts';
import type { PipelineContext } from './context.ts';
import { fireTrigger } from './fire-trigger.ts';

/** A clock that was changed, or a machine that slept, is noticed after this long. */
const maxSleepMs = 60_000;
const retryMs = 1_000;

/**
 * Fires cron triggers. What is due next is in the store, so a time that passed while nothing ran fires once at the
 * start (missed times are not made up for one by one), and a time that fired does not fire again.
 */
export class ScheduleClock {
  readonly #context: PipelineContext;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(context: PipelineContext) {
    this.#context = context;
  }

  /** Looks at the schedules now, and from then on by itself; call it again when triggers changed. */
  refresh(): Promise<void> {
    this.#running = this.#running.then(() => this.#fireDue());
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #fireDue(): Promise<void> {
    if (this.#stopped) return;
    try {
      for (const trigger of await this.#scheduled()) {
        if ((trigger.nextFireAt ?? Number.POSITIVE_INFINITY) <= this.#context.now())
          await this.#fire(trigger);
      }
      this.#arm(await this.#untilNext());
    } catch (thrown) {
      this.#context.log.warn({ error: messageOf(thrown) }, 'schedules could not be fired; will try again');
      this.#arm(retryMs);
    }
  }

  #fire(trigger: Trigger): Promise<unknown> {
    const on = new Date(trigger.nextFireAt ?? 0).toISOString();
    return fireTrigger(this.#context, trigger, { on, causingRuns: [] });
  }

  async #scheduled(): Promise<readonly Trigger[]> {
    const triggers: Trigger[] = [];
    for await (const { document } of this.#context.collections.triggers.scan()) {
      if (document.enabled && document.condition.kind === 'cron') triggers.push(document);
    }
    return triggers;
  }

  async #untilNext(): Promise<number | undefined> {
    const due = (await this.#scheduled())
      .map(({ nextFireAt }) => nextFireAt)
      .filter((at) => at !== undefined);
    return due.length === 0 ? undefined : Math.min(...due) - this.#context.now();
  }

  #arm(delayMs: number | undefined): void {
    clearTimeout(this.#timer);
    if (delayMs === undefined || this.#stopped) return;
    this.#timer = setTimeout(() => void this.refresh(), Math.min(Math.max(delayMs, 1), maxSleepMs));
    this.#timer.unref();
  }
}
