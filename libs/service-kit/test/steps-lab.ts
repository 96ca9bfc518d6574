import type { TailedEvent } from '@millrace/bus';
import { pipelineEvents } from '@millrace/contracts/pipeline';
import { StepCommand } from '@millrace/contracts/step';
import { trainingEvents } from '@millrace/contracts/training';
import type { Json } from '@millrace/store';
import { eventMessage, type Runtime, type ServiceModule, type StepHandler } from '../src/index.ts';

/** A service whose only step is `train`. */
export const trainer = (train: StepHandler): ServiceModule => ({
  name: 'training',
  setup: async () => ({ steps: { handlers: { train }, events: trainingEvents, concurrency: 4 } }),
});

/** What the pipeline does for a step: sends commands, gives runs up, reads what came of them. */
export interface Sender {
  readonly module: ServiceModule;
  send(run: string, part?: Partial<StepCommand>): Promise<void>;
  cancel(run: string): Promise<void>;
  resume(run: string): Promise<void>;
  /** The result event of an attempt. */
  result(run: string, attempt?: number): Promise<TailedEvent>;
  /** Results so far, of all runs. */
  results(): Promise<readonly TailedEvent[]>;
  runtime(): Runtime;
}

export const commandOf = (run: string, part: Partial<StepCommand> = {}): StepCommand => ({
  ...StepCommand.fromPartial({ pipelineRunId: run, step: 'train', attempt: 1 }),
  ...part,
});

export const createSender = (): Sender => {
  let own: Runtime | undefined;
  let sent = 0;
  const runtime = (): Runtime => {
    if (own === undefined) throw new Error('the sender is not started');
    return own;
  };
  const read = async (enough: (seen: readonly TailedEvent[]) => boolean, idleMs?: number) => {
    const abort = new AbortController();
    const seen: TailedEvent[] = [];
    const filterSubjects = ['millrace.evt.training.step.>'];
    if (idleMs !== undefined) setTimeout(() => abort.abort(), idleMs);
    for await (const event of runtime().bus.readEvents({
      since: 'all',
      filterSubjects,
      signal: abort.signal,
    })) {
      seen.push(event);
      if (enough(seen)) break;
    }
    abort.abort();
    return seen;
  };
  const publish = async (run: string, event: 'runCancelRequested' | 'runResumed') => {
    const runs = runtime().store.collection<{ count: number }>({ name: 'runs' });
    await runs.update(run, (current) => ({
      document: { count: (current?.document.count ?? 0) + 1 },
      messages: [eventMessage(pipelineEvents[event], run, { pipelineRunId: run, actor: undefined })],
    }));
  };
  return {
    runtime,
    module: {
      name: 'pipeline',
      setup: async (given) => {
        own = given;
        return {};
      },
    },
    send: async (run, part) => {
      const command = commandOf(run, part);
      sent += 1;
      const id = `${run}-${sent}`;
      await runtime()
        .store.collection<{ id: string }>({ name: 'commands' })
        .insert(id, { id }, [
          {
            subject: `millrace.step.training.${command.step}`,
            type: 'millrace.step.v1.StepCommand',
            key: run,
            data: StepCommand.toJSON(command) as Json,
            id,
          },
        ]);
    },
    cancel: (run) => publish(run, 'runCancelRequested'),
    resume: (run) => publish(run, 'runResumed'),
    result: async (run, attempt = 1) => {
      const key = `${run}.train.${attempt}`;
      const seen = await read((events) => events.at(-1)?.key === key);
      return seen.at(-1) as TailedEvent;
    },
    results: async () => {
      const { state } = await runtime().bus.internals.jsm.streams.info('EVENTS');
      if (state.messages === 0) return [];
      return read(() => false, 300);
    },
  };
};
