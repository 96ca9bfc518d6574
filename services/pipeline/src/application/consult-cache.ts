import { parseDigest } from '@millrace/blobs';
import type { Artifact } from '@millrace/contracts/step';
import type { Filter } from '@millrace/store';
import { componentsOf, explainDifference, fingerprintOf } from '../domain/fingerprint.ts';
import { endsSoon } from '../domain/garbage/run-retention.ts';
import type { CacheLookup } from '../domain/inputs.ts';
import { type Components, findStep, hasOutputs, type PipelineRun, type RunStep } from '../domain/run.ts';
import type { PipelineContext } from './context.ts';

/** Looks whether an equal step was done before and its outputs still exist, and says why or why not. */
export const consultCache = async (
  context: PipelineContext,
  run: PipelineRun,
  step: RunStep,
): Promise<CacheLookup> => {
  const { name, uncacheable, readsChampion } = step.plan;
  const external: Components = readsChampion
    ? { champion: await context.findChampion(run.recipe.modelName) }
    : {};
  const components = componentsOf(run, step, external);
  const known = { step: name, components, fingerprint: fingerprintOf(name, components) };
  const miss = (reason: string): CacheLookup => ({
    ...known,
    decision: { hit: false, reason, sourceRunId: '' },
  });
  if (uncacheable !== undefined) return miss(uncacheable);
  const equal = await latestRun(context, run, name, [
    { field: ['fingerprints', name], op: 'eq', value: known.fingerprint },
  ]);
  if (equal === undefined) return miss(await explainMiss(context, run, known));
  const { step: done, run: doneRun } = equal;
  const source = done.madeBy ?? doneRun.id;
  const { periodsMs, graceMs } = context.retention;
  const objection =
    endsSoon(doneRun, context.now(), periodsMs, graceMs) ??
    (await expired(context, step, done)) ??
    (await missingBlob(context, done.outputs));
  if (objection !== undefined) return miss(`the outputs of ${source} cannot be reused: ${objection}`);
  return {
    ...known,
    decision: {
      hit: true,
      reason: `nothing changed since ${source}; its outputs are there`,
      sourceRunId: source,
    },
    reusable: {
      outputs: done.outputs,
      summary: done.summary ?? {},
      warnings: done.warnings,
      madeAt: done.madeAt ?? 0,
      madeBy: source,
    },
  };
};

interface DoneStep {
  readonly run: PipelineRun;
  readonly step: RunStep;
}

/** A step as the newest run of the project did it that meets the filters. */
const latestRun = async (
  { collections }: PipelineContext,
  run: PipelineRun,
  name: string,
  filters: readonly Filter[],
): Promise<DoneStep | undefined> => {
  const page = await collections.runs.find({
    filter: { and: [{ field: 'projectName', op: 'eq', value: run.projectName }, ...filters] },
    sort: { field: 'createdAt', direction: 'desc' },
    limit: 1,
  });
  const found = page.items[0]?.document;
  const step = found && findStep(found, name);
  return found !== undefined && step !== undefined && hasOutputs(step) ? { run: found, step } : undefined;
};

const explainMiss = async (
  context: PipelineContext,
  run: PipelineRun,
  { step, components }: Pick<CacheLookup, 'step' | 'components'>,
): Promise<string> => {
  const previous = await latestRun(context, run, step, [
    { field: 'profile', op: 'eq', value: run.profile },
    { field: ['fingerprints', step], op: 'exists', value: true },
  ]);
  if (previous === undefined) return 'it was not done before in this project and profile';
  return `${explainDifference(previous.step.components, components)} since ${previous.run.id}`;
};

const expired = async (
  { now }: PipelineContext,
  step: RunStep,
  done: RunStep,
): Promise<string | undefined> => {
  const { cacheTtlMs } = step.plan;
  if (cacheTtlMs === undefined || now() - (done.madeAt ?? 0) <= cacheTtlMs) return undefined;
  return `they are older than the cache's ttl (${cacheTtlMs / 1000} s)`;
};

/** A model package is a list of files, which must all be there. */
const packageMediaType = 'application/vnd.millrace.model.v1+json';
const maxPackageBytes = 4 * 1_048_576;

const missingBlob = async (
  context: PipelineContext,
  outputs: readonly Artifact[],
): Promise<string | undefined> => {
  for (const artifact of outputs) {
    if (artifact.digest === '') continue;
    for (const digest of await digestsOf(context, artifact)) {
      if ((await context.blobs.has(parseDigest(digest))) === undefined)
        return `${artifact.name} (${digest}) is gone`;
    }
  }
  return undefined;
};

async function digestsOf({ blobs }: PipelineContext, artifact: Artifact): Promise<readonly string[]> {
  const digest = parseDigest(artifact.digest);
  const isPackage = artifact.mediaType === packageMediaType && (await blobs.has(digest)) !== undefined;
  if (!isPackage) return [artifact.digest];
  const manifest = JSON.parse(new TextDecoder().decode(await blobs.read(digest, maxPackageBytes))) as {
    readonly files?: readonly { readonly digest: string }[];
  };
  return [artifact.digest, ...(manifest.files ?? []).map((file) => file.digest)];
}
