import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BlobStore, type Digest, digestOf, openFsBlobStore } from '@millrace/blobs';
import { inventoried, type StorageParts, storageRpc } from '@millrace/service-kit';
import { type Collection, type DocumentStore, openSqliteStore } from '@millrace/store';
import {
  type CollectorDependencies,
  collectGarbage,
  type StorageOwner,
} from '../../src/application/garbage/collect-garbage.ts';
import { pipelineStorage } from '../../src/application/garbage/pipeline-storage.ts';
import { type Findings, noFindings } from '../../src/domain/garbage/collection.ts';
import { endsSoon } from '../../src/domain/garbage/run-retention.ts';
import type { PipelineRun } from '../../src/domain/run.ts';
import { timedBlobs } from './timed-blobs.ts';

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;
export const retention = {
  graceMs: dayMs,
  recentEventsMs: 0,
  periodsMs: { runs: 2.5 * dayMs, failed_runs: 1.5 * dayMs },
};

/** A run as far as garbage is concerned. */
export interface WorldRun {
  readonly id: string;
  readonly state: 'running' | 'succeeded' | 'failed';
  readonly finishedAt?: number;
  readonly manifestDigest: string;
  readonly outputs: readonly { readonly digest: string }[];
  /** Of the run whose outputs it took. */
  readonly madeBy: string;
}

interface Version {
  readonly digest: string;
  readonly pipelineRunId: string;
}

interface Endpoint {
  readonly modelDigest: string;
}

class Killed extends Error {}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A process of its own: between its parts anything else may happen. */
type Process = AsyncGenerator<void, void, void>;

interface ActiveProcess {
  readonly steps: Process;
  readonly begunAt: number;
}

/**
 * Writers and a collector of garbage over real stores and blobs, in one order that a seed gives. The only promise that
 * writers make is that of the platform: from the moment at which one has put or asked for a blob until what it is for
 * is written down, less time passes than the grace.
 */
export class World {
  readonly runs: Collection<WorldRun>;
  readonly versions: Collection<Version>;
  readonly endpoints: Collection<Endpoint>;
  readonly held = new Set<string>();
  readonly #directory: string;
  readonly #raw: BlobStore;
  readonly #blobs: BlobStore;
  readonly #stores: readonly DocumentStore[];
  readonly #dependencies: CollectorDependencies;
  readonly #random: () => number;
  #active: ActiveProcess[] = [];
  #now = 1_700_000_000_000;
  #serial = 0;
  /** Calls of the collector until it is killed. */
  #killIn = Number.POSITIVE_INFINITY;
  #isDisturbed = false;
  #inStep = false;

  private constructor(directory: string, raw: BlobStore, stores: DocumentStore[], random: () => number) {
    this.#directory = directory;
    this.#raw = raw;
    this.#stores = stores;
    this.#random = random;
    this.#blobs = timedBlobs(
      raw,
      () => this.#now,
      () => this.#onCall(),
    );
    const [pipeline, registry, deployment] = stores.map((store) => inventoried(store)) as [
      Inventoried,
      Inventoried,
      Inventoried,
    ];
    this.runs = pipeline.store.collection({ name: 'runs' });
    this.versions = registry.store.collection({ name: 'model_versions' });
    this.endpoints = deployment.store.collection({ name: 'endpoints' });
    const owner = (service: string, opened: Inventoried, parts: StorageParts = {}): StorageOwner => {
      const handlers = storageRpc({ ...opened, ...parts });
      const call = { signal: new AbortController().signal } as never;
      return {
        service,
        storage: {
          listDocuments: async (request) => {
            await this.#onCall();
            return handlers.listDocuments(request, call);
          },
          removeDocuments: async (request) => {
            await this.#onCall();
            return handlers.removeDocuments(request, call);
          },
          pruneEvents: (request) => handlers.pruneEvents(request, call),
        },
      };
    };
    this.#dependencies = {
      owners: [
        owner('pipeline', pipeline, pipelineStorage),
        owner('deployment', deployment),
        owner('registry', registry),
      ],
      blobs: this.#blobs,
      blobMentions: pipeline.store.collection({ name: 'blob_mentions' }),
      holds: async () => [...this.held],
      retention,
      now: () => this.#now,
    };
  }

  static async open(random: () => number): Promise<World> {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-garbage-'));
    const raw = await openFsBlobStore({ directory: join(directory, 'blobs') });
    const stores = ['pipeline', 'registry', 'deployment'].map((service) =>
      openSqliteStore({ path: join(directory, `${service}.sqlite`), service }),
    );
    return new World(directory, raw, await Promise.all(stores), random);
  }

  async close(): Promise<void> {
    for (const store of this.#stores) await store.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  get blobs(): BlobStore {
    return this.#blobs;
  }

  /** Time goes on, but not so far that a writer would break its promise. */
  pass(ms: number): void {
    const oldest = Math.min(...this.#active.map(({ begunAt }) => begunAt));
    const limit = this.#active.length === 0 ? Number.POSITIVE_INFINITY : oldest + retention.graceMs - 1;
    this.#now = Math.max(this.#now, Math.min(this.#now + ms, limit));
  }

  /** One step of a writer, a new writer, or time. */
  async disturb(): Promise<void> {
    const choice = this.#random();
    if (choice < 0.5 && this.#active.length > 0) await this.#advance();
    else if (choice < 0.6) this.pass(this.#random() * 20 * hourMs);
    else if (choice < 0.65) this.#forgetOne();
    else if (choice < 0.95 && this.#active.length < 6) {
      this.#active.push({ steps: this.#someProcess(), begunAt: this.#now });
    } else await this.#holdOrRelease();
  }

  /** Lets every writer come to its end. */
  async settle(): Promise<void> {
    while (this.#active.length > 0) await this.#advance();
  }

  /** Collects garbage while writers go on; killed after so many calls, it is begun again. */
  async collect({
    killIn = Number.POSITIVE_INFINITY,
    disturbed = true,
    dryRun = false,
  } = {}): Promise<Findings> {
    this.#isDisturbed = disturbed;
    this.#killIn = killIn;
    const task = { startedAt: this.#now, dryRun, report: async () => {} };
    try {
      return await collectGarbage(this.#dependencies, task, noFindings);
    } catch (thrown) {
      if (!(thrown instanceof Killed)) throw thrown;
      this.#killIn = Number.POSITIVE_INFINITY;
      return await collectGarbage(this.#dependencies, task, noFindings);
    } finally {
      this.#isDisturbed = false;
    }
  }

  /** Every digest that a document needs, with the files of its manifests; throws when one cannot be read. */
  async liveDigests(): Promise<ReadonlySet<string>> {
    const needed = new Set<string>();
    for await (const { document } of this.runs.scan()) {
      needed.add(document.manifestDigest);
      for (const { digest } of document.outputs) needed.add(digest);
    }
    for await (const { document } of this.versions.scan()) needed.add(document.digest);
    for await (const { document } of this.endpoints.scan()) needed.add(document.modelDigest);
    for (const subject of this.held) if (subject.startsWith('sha256:')) needed.add(subject);
    const existing = await this.existing();
    for (const digest of [...needed]) {
      if (!existing.has(digest)) throw new Error(`${digest} is needed and gone`);
      for (const file of await this.#filesOf(digest)) {
        if (!existing.has(file)) throw new Error(`${file}, a file of ${digest}, is needed and gone`);
        needed.add(file);
      }
    }
    return needed;
  }

  /** Throws when a document that another needs is gone. */
  async checkLineage(): Promise<void> {
    const runs = new Set<string>();
    const sources: string[] = [];
    for await (const { key, document } of this.runs.scan()) {
      runs.add(key);
      if (document.madeBy !== '') sources.push(document.madeBy);
    }
    for await (const { document } of this.versions.scan()) sources.push(document.pipelineRunId);
    sources.push(...[...this.held].filter((subject) => !subject.startsWith('sha256:')));
    for (const id of sources) if (!runs.has(id)) throw new Error(`the run ${id} is needed and gone`);
  }

  /** Blobs in their place or aside, without asking for any of them. */
  async existing(): Promise<ReadonlySet<string>> {
    const [stored, retired] = await Promise.all([
      this.#raw.list({ limit: 1_000 }),
      this.#raw.listRetired({ limit: 1_000 }),
    ]);
    return new Set([...stored.items, ...retired.items].map(({ digest }) => digest));
  }

  async #filesOf(digest: string): Promise<readonly string[]> {
    const text = this.#contents.get(digest) ?? '';
    if (!text.startsWith('{')) return [];
    const { files } = JSON.parse(text) as { files: readonly { digest: string }[] };
    return files.map((file) => file.digest);
  }

  readonly #contents = new Map<string, string>();

  async #put(text: string): Promise<Digest> {
    const { digest } = await this.#blobs.put(encode(text));
    this.#contents.set(digest, text);
    return digest;
  }

  async #putUnlessThere(text: string): Promise<Digest> {
    const digest = digestOf(text);
    return (await this.#blobs.has(digest)) === undefined ? this.#put(text) : digest;
  }

  async #onCall(): Promise<void> {
    // A writer's own calls are not the collector's.
    if (this.#inStep || !this.#isDisturbed) return;
    this.#killIn -= 1;
    if (this.#killIn < 0) throw new Killed();
    this.#inStep = true;
    try {
      while (this.#random() < 0.4) await this.disturb();
    } finally {
      this.#inStep = false;
    }
  }

  async #advance(): Promise<void> {
    const index = Math.floor(this.#random() * this.#active.length);
    const chosen = this.#active[index];
    const wasInStep = this.#inStep;
    this.#inStep = true;
    const result = await chosen?.steps.next();
    this.#inStep = wasInStep;
    if (result?.done !== false) this.#active = this.#active.filter((item) => item !== chosen);
  }

  /** A writer dies half way. */
  #forgetOne(): void {
    this.#active.splice(Math.floor(this.#random() * this.#active.length), 1);
  }

  #someProcess(): Process {
    const choice = this.#random();
    if (choice < 0.5) return this.#run();
    if (choice < 0.8) return this.#cachedRun();
    if (choice < 0.9) return this.#deploy();
    return this.#upload();
  }

  /** Few different contents, so that garbage is wanted again. */
  #someText(): string {
    return `content ${Math.floor(this.#random() * 25)}`;
  }

  /** As the command line does it: only what is not there is sent. */
  async *#uploadProject(): AsyncGenerator<void, Digest, void> {
    const files: { path: string; digest: string }[] = [];
    for (const path of ['recipe.yaml', 'data.csv']) {
      files.push({ path, digest: await this.#putUnlessThere(this.#someText()) });
      yield;
    }
    const digest = await this.#putUnlessThere(JSON.stringify({ files }));
    yield;
    return digest;
  }

  async *#upload(): Process {
    yield* this.#uploadProject();
  }

  async *#run(): Process {
    const manifestDigest = yield* this.#uploadProject();
    yield* this.#finish(this.#newRun(manifestDigest, [], ''));
  }

  /** Takes the outputs of an earlier run, when they are there, and refers to it. */
  async *#cachedRun(): Process {
    const manifestDigest = yield* this.#uploadProject();
    const { items } = await this.runs.find({ limit: 1_000 });
    const source = items[Math.floor(this.#random() * items.length)]?.document;
    const outputs = source === undefined ? undefined : await this.#reusable(source);
    yield;
    const run =
      source === undefined || outputs === undefined
        ? this.#newRun(manifestDigest, [], '')
        : this.#newRun(manifestDigest, outputs, source.id);
    yield* this.#finish(run);
  }

  async #reusable(source: WorldRun): Promise<WorldRun['outputs'] | undefined> {
    if (source.state !== 'succeeded') return undefined;
    const run = source as unknown as PipelineRun;
    if (endsSoon(run, this.#now, retention.periodsMs, retention.graceMs) !== undefined) return undefined;
    for (const { digest } of source.outputs) {
      for (const needed of [digest, ...(await this.#filesOf(digest))]) {
        if ((await this.#blobs.has(needed as Digest)) === undefined) return undefined;
      }
    }
    return source.outputs;
  }

  #newRun(manifestDigest: string, outputs: WorldRun['outputs'], madeBy: string): WorldRun {
    this.#serial += 1;
    const id = `run_${String(this.#serial).padStart(26, '0')}`;
    return { id, state: 'running', manifestDigest, outputs, madeBy };
  }

  async *#finish(run: WorldRun): Process {
    await this.runs.insert(run.id, run);
    yield;
    const model = JSON.stringify({ files: [{ path: 'model', digest: await this.#put(this.#someText()) }] });
    yield;
    const outputs = run.outputs.length > 0 ? run.outputs : [{ digest: await this.#put(model) }];
    yield;
    await this.#change(run.id, { outputs });
    yield;
    const digest = outputs[0]?.digest ?? '';
    const isGood = this.#random() < 0.6;
    if (isGood && this.#random() < 0.3) {
      await this.versions.insert(`model/${this.#serial}-${run.id}`, { digest, pipelineRunId: run.id });
    }
    yield;
    await this.#change(run.id, { state: isGood ? 'succeeded' : 'failed', finishedAt: this.#now });
  }

  async #change(id: string, change: Partial<WorldRun>): Promise<void> {
    await this.runs.update(id, (current) =>
      current === undefined ? undefined : { document: { ...current.document, ...change } },
    );
  }

  async *#deploy(): Process {
    const { items } = await this.versions.find({ limit: 1_000 });
    const version = items[Math.floor(this.#random() * items.length)]?.document;
    if (version === undefined) return;
    const key = `endpoint-${Math.floor(this.#random() * 3)}`;
    yield;
    await this.endpoints.update(key, () => ({ document: { modelDigest: version.digest } }));
  }

  async #holdOrRelease(): Promise<void> {
    const [first] = this.held;
    if (first !== undefined && this.#random() < 0.5) {
      this.held.delete(first);
      return;
    }
    // As the use case: none is placed while garbage is collected.
    if (this.#isDisturbed) return;
    const { items } = await this.runs.find({ limit: 1_000 });
    const run = items[Math.floor(this.#random() * items.length)]?.document;
    if (run === undefined) return;
    const subject = this.#random() < 0.5 ? run.id : run.manifestDigest;
    this.held.add(subject);
    // As the use case does: what was removed meanwhile is not held.
    const isThere =
      subject === run.id ? (await this.runs.get(run.id)) !== undefined : await this.#has(subject);
    if (!isThere) this.held.delete(subject);
  }

  async #has(digest: string): Promise<boolean> {
    for (const needed of [digest, ...(await this.#filesOf(digest))]) {
      if ((await this.#blobs.has(needed as Digest)) === undefined) return false;
    }
    return true;
  }
}

type Inventoried = ReturnType<typeof inventoried>;
