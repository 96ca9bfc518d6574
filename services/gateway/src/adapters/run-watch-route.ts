import type { Bus } from '@millrace/bus';
import { GetRunRequest, type PipelineServiceService, Run, RunState } from '@millrace/contracts/pipeline';
import { apiPrefix } from '@millrace/rest';
import type { RpcClient } from '@millrace/service-kit';
import type { FastifyInstance } from 'fastify';
import { EventStream } from './server-sent-events.ts';
import type { StallOptions } from './stalled-reader.ts';

const ended = new Set<RunState>([
  RunState.RUN_STATE_SUCCEEDED,
  RunState.RUN_STATE_FAILED,
  RunState.RUN_STATE_CANCELLED,
]);

/** Without a broker the state is shown all the same; what happens next is then read from a while ago. */
const placeInEvents = async (bus: Bus): Promise<{ afterSequence: number } | { time: Date }> => {
  const time = new Date(Date.now() - 2_000);
  try {
    return { afterSequence: await bus.lastEventSequence() };
  } catch {
    return { time };
  }
};

const runGrammar = /^[\w-]{1,128}$/;

/**
 * `GET /runs/:id/watch`: the run whenever it changes, and its steps' progress, until it ends. A reader that
 * connects again gets the current state first, so nothing needs to be resumed.
 */
export const registerRunWatchRoute = (
  app: FastifyInstance,
  bus: Bus,
  pipeline: RpcClient<typeof PipelineServiceService>,
  streams: StallOptions,
): void => {
  const options = { exposeHeadRoute: false, config: { permission: 'read', stream: true } } as const;
  app.get<{ Params: { id: string } }>(`${apiPrefix}/runs/:id/watch`, options, async (request, reply) => {
    const { id } = request.params;
    const current = async () => (await pipeline.getRun(GetRunRequest.fromPartial({ id }))).run;
    // Before the state is read, so that no change falls between the two.
    const since = await placeInEvents(bus);
    // Refuses an unknown run as an ordinary error, before the answer becomes a stream.
    let run = await current();
    const stream = new EventStream(reply, streams);
    const progress = runGrammar.test(id)
      ? bus.subscribeProgress(`millrace.progress.${id}.>`, (json) => stream.offer('progress', json))
      : undefined;
    await stream.run(async () => {
      const send = async () => {
        if (run !== undefined) await stream.send('run', Run.toJSON(run));
        return run === undefined || ended.has(run.state);
      };
      if (await send()) return;
      const filterSubjects = ['millrace.evt.pipeline.run.>'];
      for await (const event of bus.readEvents({ filterSubjects, since, signal: stream.signal })) {
        if (event.key !== id) continue;
        run = await current();
        if (await send()) return;
      }
    });
    await progress?.stop();
  });
};
