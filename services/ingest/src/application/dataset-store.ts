import { ingestEvents } from '@millrace/contracts/ingest';
import { asMillraceError, ErrorCode, NotFound } from '@millrace/errors';
import { eventMessage, type Retention, retention, timeOfId } from '@millrace/service-kit';
import type { Collection, DocumentStore, Page } from '@millrace/store';
import {
  type ContractFinding,
  type DatasetVersion,
  datasetVersionMessage,
  findingMessage,
  type Source,
  sourceMessage,
} from '../domain/dataset-version.ts';

/** A dataset and where its numbering has come to. */
export interface Dataset {
  readonly name: string;
  readonly latestVersion: number;
  readonly latestId: string;
}

/** Data that the contract refused, once per attempt. */
interface Rejection {
  readonly dataset: string;
  readonly pipelineRunId: string;
  readonly findings: readonly ContractFinding[];
  readonly sources: readonly Source[];
}

export type NewDatasetVersion = Omit<DatasetVersion, 'version' | 'slot'>;

/** Versions are kept as long as runs, and longer while anything refers to them: a dataset keeps its latest. */
export const datasetRetention: readonly Retention[] = [
  retention<DatasetVersion>({
    collection: 'dataset_versions',
    ended: ({ createdAt, usedAt = createdAt }) => ({ period: 'runs', at: Date.parse(usedAt) }),
  }),
  retention<Rejection>({
    collection: 'dataset_rejections',
    ended: ({ pipelineRunId }) => {
      const at = timeOfId(pipelineRunId);
      return at === undefined ? undefined : { period: 'failed_runs', at };
    },
  }),
];

/** What ingest owns: datasets, their versions, and what was refused. */
export class DatasetStore {
  readonly #versions: Collection<DatasetVersion>;
  readonly #datasets: Collection<Dataset>;
  readonly #rejections: Collection<Rejection>;

  constructor(store: DocumentStore) {
    this.#versions = store.collection({
      name: 'dataset_versions',
      indexes: [
        { path: 'dataset', type: 'text' },
        { path: 'version', type: 'number' },
        { path: 'slot', type: 'text', unique: true },
      ],
    });
    this.#datasets = store.collection({ name: 'datasets' });
    this.#rejections = store.collection({ name: 'dataset_rejections' });
  }

  async find(id: string): Promise<DatasetVersion | undefined> {
    return (await this.#versions.get(id))?.document;
  }

  /** Throws `NotFound`. */
  async get(id: string): Promise<DatasetVersion> {
    const version = await this.find(id);
    if (version === undefined) throw new NotFound(`there is no dataset version "${id}"`);
    return version;
  }

  /** Versions of a dataset, newest first. */
  listVersions(dataset: string, page: { limit: number; cursor?: string }): Promise<Page<DatasetVersion>> {
    return this.#versions.find({
      filter: { field: 'dataset', op: 'eq', value: dataset },
      sort: { field: 'version', direction: 'desc' },
      ...page,
    });
  }

  listDatasets(page: { limit: number; cursor?: string }): Promise<Page<Dataset>> {
    return this.#datasets.find(page);
  }

  /**
   * Makes a dataset version under the next number, with its event, or gives the one that has the same content. Safe
   * to repeat and to do at the same time elsewhere.
   */
  async register(draft: NewDatasetVersion, project: string): Promise<DatasetVersion> {
    const version = (await this.#useAgain(draft)) ?? (await this.#insert(draft, project));
    // A second document: a crash between the two is made good when the step's command is delivered again.
    await this.#datasets.update(version.dataset, (current) =>
      (current?.document.latestVersion ?? 0) >= version.version
        ? undefined
        : { document: { name: version.dataset, latestVersion: version.version, latestId: version.id } },
    );
    return version;
  }

  /** Written down, so that a collector of garbage that has found the version unused does not remove it now. */
  async #useAgain({ id, createdAt }: NewDatasetVersion): Promise<DatasetVersion | undefined> {
    const found = await this.#versions.update(id, (current) =>
      current === undefined ? undefined : { document: { ...current.document, usedAt: createdAt } },
    );
    return found?.document;
  }

  async #insert(draft: NewDatasetVersion, project: string): Promise<DatasetVersion> {
    while (true) {
      const number = (await this.#latestNumber(draft.dataset)) + 1;
      const version = { ...draft, version: number, slot: `${draft.dataset}#${number}` };
      const created = eventMessage(ingestEvents.datasetVersionCreated, version.id, {
        datasetVersion: datasetVersionMessage(version),
        project,
      });
      try {
        return (await this.#versions.insert(version.id, version, [created])).document;
      } catch (thrown) {
        if (asMillraceError(thrown).code !== ErrorCode.conflict) throw thrown;
        // Somebody else took the number, or made the same content.
        const existing = await this.#useAgain(draft);
        if (existing !== undefined) return existing;
      }
    }
  }

  async #latestNumber(dataset: string): Promise<number> {
    const { items } = await this.listVersions(dataset, { limit: 1 });
    return items[0]?.document.version ?? 0;
  }

  /** Records that an attempt's data was refused, with its event; once however often it is called. */
  async reject(attemptKey: string, rejection: Rejection): Promise<void> {
    const recorded = eventMessage(ingestEvents.datasetVersionRejected, attemptKey, {
      dataset: rejection.dataset,
      pipelineRunId: rejection.pipelineRunId,
      findings: rejection.findings.map(findingMessage),
      sources: rejection.sources.map(sourceMessage),
    });
    await this.#rejections.update(attemptKey, (current) =>
      current === undefined ? { document: rejection, messages: [recorded] } : undefined,
    );
  }
}
