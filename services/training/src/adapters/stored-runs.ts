import type { Artifact } from '@millrace/contracts/step';
import { Run, RunStatus, trainingEvents } from '@millrace/contracts/training';
import { Invalid, NotFound } from '@millrace/errors';
import { eventMessage } from '@millrace/service-kit';
import type { Collection, DocumentStore, NewMessage } from '@millrace/store';
import type { RunOutcome, Runs } from '../application/ports.ts';
import type { RunDocument } from '../domain/run.ts';

type RunEvent = 'runStarted' | 'runFinished' | 'runFailed';

/** Runs in the service's store. */
export class StoredRuns implements Runs {
  readonly #runs: Collection<RunDocument>;
  readonly #now: () => number;

  constructor(store: DocumentStore, now: () => number) {
    this.#now = now;
    this.#runs = store.collection({
      name: 'runs',
      indexes: [
        { path: 'experimentId', type: 'text' },
        { path: 'name', type: 'text' },
        { path: 'status', type: 'text' },
        { path: 'startedAt', type: 'text' },
        { path: 'finishedAt', type: 'text' },
        { path: 'parentRunId', type: 'text' },
        { path: 'pipelineRunId', type: 'text' },
        { path: 'datasetVersionId', type: 'text' },
        { path: 'modelDigest', type: 'text' },
        { map: 'params', values: 'text' },
        { map: 'metrics', values: 'number' },
        { map: 'tags', values: 'text' },
      ],
    });
  }

  async get(id: string): Promise<RunDocument | undefined> {
    return (await this.#runs.get(id))?.document;
  }

  async start(run: RunDocument): Promise<RunDocument> {
    const stored = await this.#runs.update(run.id, (current) => {
      if (current === undefined) return { document: run, messages: [message('runStarted', run)] };
      if (current.document.status === RunStatus.RUN_STATUS_FINISHED) return undefined;
      return { document: { ...run, startedAt: current.document.startedAt } };
    });
    return stored?.document ?? (await this.#existing(run.id));
  }

  async finish(id: string, outcome: RunOutcome): Promise<RunDocument> {
    return this.#end(id, (run) => ({
      ...run,
      ...outcome,
      params: { ...run.params, ...outcome.params },
      metrics: { ...run.metrics, ...outcome.metrics },
      tags: { ...run.tags, ...outcome.tags },
      status: RunStatus.RUN_STATUS_FINISHED,
    }));
  }

  async fail(id: string, error: string, killed: boolean): Promise<void> {
    const status = killed ? RunStatus.RUN_STATUS_KILLED : RunStatus.RUN_STATUS_FAILED;
    await this.#end(id, (run) => ({ ...run, error, status }));
  }

  async log(
    id: string,
    { params, metrics, tags }: Pick<RunDocument, 'params' | 'metrics' | 'tags'>,
  ): Promise<void> {
    await this.#runs.update(id, (current) => {
      if (current === undefined) throw new NotFound(`there is no run "${id}"`);
      const { document: run } = current;
      refuseChangedParams(run.params, params);
      return {
        document: {
          ...run,
          params: { ...run.params, ...params },
          metrics: { ...run.metrics, ...metrics },
          tags: { ...run.tags, ...tags },
        },
      };
    });
  }

  async find(query: Parameters<Runs['find']>[0]) {
    const { items, nextCursor } = await this.#runs.find(query);
    const runs = items.map(({ document }) => document);
    return nextCursor === undefined ? { items: runs } : { items: runs, nextCursor };
  }

  async #end(id: string, change: (run: RunDocument) => RunDocument): Promise<RunDocument> {
    const finishedAt = new Date(this.#now()).toISOString();
    const stored = await this.#runs.update(id, (current) => {
      if (current === undefined) throw new NotFound(`there is no run "${id}"`);
      if (current.document.status !== RunStatus.RUN_STATUS_RUNNING) return undefined;
      const ended = { ...change(current.document), finishedAt };
      const event = ended.status === RunStatus.RUN_STATUS_FINISHED ? 'runFinished' : 'runFailed';
      return { document: ended, messages: [message(event, ended)] };
    });
    return stored?.document ?? (await this.#existing(id));
  }

  async #existing(id: string): Promise<RunDocument> {
    const run = await this.get(id);
    if (run === undefined) throw new NotFound(`there is no run "${id}"`);
    return run;
  }
}

const message = (event: RunEvent, run: RunDocument): NewMessage =>
  eventMessage(trainingEvents[event], run.id, { run: runMessage(run) });

/** As MLflow: a param is logged once, so that what a run says it was fitted with never changes. */
const refuseChangedParams = (
  current: Readonly<Record<string, string>>,
  added: Readonly<Record<string, string>>,
): void => {
  for (const [name, value] of Object.entries(added)) {
    const old = current[name];
    if (old !== undefined && old !== value) {
      throw Invalid.field(`params.${name}`, `was logged as "${old}" and cannot become "${value}"`);
    }
  }
};

/** The run on the wire. */
export const runMessage = ({ summary: _summary, warnings: _warnings, ...run }: RunDocument): Run =>
  Run.fromPartial({
    ...run,
    artifacts: run.artifacts as Artifact[],
    startedAt: run.startedAt,
    finishedAt: run.finishedAt === '' ? undefined : run.finishedAt,
  });
