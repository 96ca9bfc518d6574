import { type Digest, parseDigest } from '@millrace/blobs';
import { asMillraceError, errorToJson, FailedPrecondition, NotFound } from '@millrace/errors';
import { type ImportOptions, importModel, manifestOf, readPackage } from '@millrace/modeling';
import type { Json } from '@millrace/store';
import type { ImportCommand, ModelImport } from '../domain/model-import.ts';
import { type Registration, signatureFields } from '../domain/model-version.ts';
import { versionKey } from '../domain/names.ts';
import type { RegistryContext } from './context.ts';
import { registerModelVersion } from './register-model-version.ts';

/** Bytes of one file of a model directory, and of the manifest. */
const maxFileBytes = 512 * 1024 * 1024;
const maxManifestBytes = 8_000_000;
/** An import belongs to the process that renewed its lease last. Milliseconds. */
const leaseMs = 60_000;
const renewMs = 15_000;

/** How a directory becomes a package: `importModel` of `libs/modeling`, with its environments. */
export type Importer = Pick<ImportOptions, 'environments' | 'memoryMb' | 'onLog'>;

/**
 * Makes versions of model directories that MLflow saved elsewhere, one after the other: environments are built and
 * models loaded, which takes minutes. An import whose process died is taken up by the next.
 */
export class ModelImports {
  readonly #context: RegistryContext;
  readonly #importer: Importer;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #sweep: NodeJS.Timeout | undefined;

  constructor(context: RegistryContext, importer: Importer) {
    this.#context = context;
    this.#importer = importer;
  }

  /** Takes up what a process that died left. */
  async start(): Promise<void> {
    await this.#resume();
    this.#sweep = setInterval(() => void this.#resume().catch(() => {}), leaseMs);
  }

  /** Ends what is under way: it is taken up at the next start. */
  async stop(): Promise<void> {
    clearInterval(this.#sweep);
    this.#stopping.abort();
    await this.#running;
  }

  /**
   * Begins an import.
   *
   * @throws FailedPrecondition when nothing vouches for the model and that was not said to be all right
   */
  async begin(command: ImportCommand): Promise<ModelImport> {
    if (!command.allowNonValidated) {
      throw new FailedPrecondition(
        'no evaluation vouches for a model from outside: nothing says that it is good enough',
        { hint: 'Pass --allow-non-validated (`allowNonValidatedModel`) to register it all the same.' },
      );
    }
    const { collections, newId, now } = this.#context;
    const document: ModelImport = {
      id: newId('imp'),
      command,
      state: 'RUNNING',
      message: 'waiting for its turn',
      warnings: [],
      startedAt: now(),
      leaseUntil: this.#leaseEnd(),
    };
    await collections.imports.insert(document.id, document);
    this.#enqueue(document);
    return document;
  }

  async get(id: string): Promise<ModelImport> {
    const found = await this.#context.collections.imports.get(id);
    if (found === undefined) throw new NotFound(`there is no import ${id}`);
    return found.document;
  }

  async #resume(): Promise<void> {
    const { collections, now } = this.#context;
    const running = { field: 'state', op: 'eq', value: 'RUNNING' } as const;
    for await (const { document } of collections.imports.scan(running)) {
      if (document.leaseUntil > now()) continue;
      const taken = await this.#change(document.id, { leaseUntil: this.#leaseEnd() }, document.leaseUntil);
      if (taken) this.#enqueue(document);
    }
  }

  #enqueue({ id, command }: ModelImport): void {
    const renewal = setInterval(
      () => void this.#change(id, { leaseUntil: this.#leaseEnd() }).catch(() => {}),
      renewMs,
    );
    this.#running = this.#running.then(async () => {
      await this.#run(id, command);
      clearInterval(renewal);
    });
  }

  async #run(id: string, command: ImportCommand): Promise<void> {
    const { signal } = this.#stopping;
    if (signal.aborted) return;
    try {
      const done = await this.#import(id, command);
      await this.#change(id, { ...done, state: 'SUCCEEDED', message: '', endedAt: this.#context.now() });
    } catch (thrown) {
      if (signal.aborted) return;
      const error = errorToJson(asMillraceError(thrown)) as unknown as Json;
      const failed = { state: 'FAILED', message: '', error, endedAt: this.#context.now() } as const;
      await this.#change(id, failed).catch(() => {});
    }
  }

  async #import(id: string, command: ImportCommand): Promise<Pick<ModelImport, 'version' | 'warnings'>> {
    const { blobs } = this.#context;
    const read = (digest: string) => blobs.read(parseDigest(digest), maxFileBytes);
    const manifest = await blobs.read(parseDigest(command.packageDigest), maxManifestBytes);
    const { task, classes, target, allowDangerousPickles } = command;
    const imported = await importModel(await readPackage(manifest, read), {
      ...this.#importer,
      ...(task === undefined ? {} : { task }),
      ...(classes.length === 0 ? {} : { classes }),
      ...(target === '' ? {} : { target }),
      allowDangerousPickles,
      signal: this.#stopping.signal,
      onProgress: (message) => void this.#change(id, { message }).catch(() => {}),
    });
    for (const bytes of imported.files.values()) await blobs.put(bytes);
    const { digest } = await blobs.put(manifestOf(imported.files).bytes);
    const { version } = await registerModelVersion(
      this.#context,
      this.#registration(command, imported, digest),
    );
    return { version: versionKey(version.model, version.number), warnings: imported.warnings };
  }

  #registration(
    { model, description, tags, actor }: ImportCommand,
    { signature, example, flavors, pickles }: Awaited<ReturnType<typeof importModel>>,
    digest: Digest,
  ): Registration {
    return {
      model,
      digest,
      signature: signatureFields(signature),
      inputExample: example.map((row) => row as Readonly<Record<string, Json>>),
      origin: {
        trainingRunId: '',
        pipelineRunId: '',
        datasetVersionId: '',
        codeCommit: '',
        profileDigest: '',
      },
      evidence: { reportId: '', verdict: 'UNKNOWN', metrics: {} },
      tags: { ...tags, task: signature.output.task },
      registeredBy: actor,
      registeredAt: this.#context.now(),
      source: 'import',
      description,
      flavors,
      pickles,
    };
  }

  /** True when the document was changed; with `lease`, only if that is still the one it has. */
  async #change(id: string, part: Partial<ModelImport>, lease?: string): Promise<boolean> {
    let changed = false;
    await this.#context.collections.imports.update(id, (current) => {
      changed =
        current?.document.state === 'RUNNING' &&
        (lease === undefined || current.document.leaseUntil === lease);
      return changed && current !== undefined ? { document: { ...current.document, ...part } } : undefined;
    });
    return changed;
  }

  #leaseEnd(): string {
    return new Date(Date.parse(this.#context.now()) + leaseMs).toISOString();
  }
}
