import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { parseDigest } from '@millrace/blobs';
import type { Artifact } from '@millrace/contracts/step';
import { Invalid } from '@millrace/errors';
import { makeWorkDirectory, type StepHandler, withCard } from '@millrace/service-kit';
import { z } from 'zod';
import { describeScored } from '../card/describe-scored.ts';
import { predictCard } from '../card/predict-card.ts';
import type { DeploymentContext } from './context.ts';
import { resolveModel } from './resolve-model.ts';
import { type BatchSettings, type Scored, scoreBatch } from './score-batch.ts';

const configSchema = z.object({
  model_uri: z.string().min(1),
  output: z.object({ using: z.enum(['parquet', 'csv', 'delta']), location: z.string().min(1) }),
  result_type: z.string().default('double'),
  save_mode: z.string().default('overwrite'),
});

export interface PredictDependencies extends BatchSettings, Pick<DeploymentContext, 'registry'> {
  readonly tempDir: string;
}

/**
 * The recipe's `predict` step: scores the rows of `ingest_scoring` with a registered model. Outputs: `scored_data`,
 * the rows with their predictions as Parquet, and `scored_output`, the files of the recipe's format, which whoever has
 * the project writes to `output.location`.
 */
export const predictStep =
  (dependencies: PredictDependencies): StepHandler =>
  async (step) => {
    const config = parse(step.command.config);
    const { blobs, tempDir } = dependencies;
    const version = await resolveModel(dependencies, config.model_uri);
    const name = `${version.model}/${version.version}`;
    step.progress(0.05, `loading ${name}`);
    await using directory = await makeWorkDirectory(tempDir);
    const data = join(directory.path, 'data.parquet');
    await blobs.materialize(parseDigest(step.input('dataset').digest), data, { as: 'link' });
    const scored = await scoreBatch(
      dependencies,
      {
        model: version.digest,
        data,
        using: config.output.using,
        resultType: config.result_type,
        directory: directory.path,
      },
      step,
    );
    step.progress(0.95, 'storing the predictions');
    const rows = String(scored.rows);
    const attributes = { rows, model: name, modelDigest: version.digest };
    const table = await blobs.put({ file: scored.parquet });
    const output = await storeOutput(dependencies, scored, config);
    const result = {
      outputs: [
        { name: 'scored_data', kind: 'scored_data', ...table, mediaType: parquetMediaType, attributes },
        { ...output, attributes: { ...output.attributes, ...attributes } },
      ],
      summary: { rows: scored.rows, model: name, ...config.output },
      warnings: scored.warnings,
    };
    // Awaited here: the directory goes with this block.
    return await withCard(step, blobs, result, async (made) =>
      predictCard(
        step.command,
        {
          rowCount: scored.rows,
          model: name,
          output: config.output.location,
          format: config.output.using,
          ...(await describeScored(scored.parquet, {
            profile: step.command.config?.skip_data_profiling !== true,
            signal: step.signal,
          })),
        },
        made,
      ),
    );
  };

const parquetMediaType = 'application/vnd.apache.parquet';

type Config = z.infer<typeof configSchema>;

const parse = (config: unknown): Config => {
  const parsed = configSchema.safeParse(config ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw Invalid.field(`steps.predict.${issue?.path.join('.')}`, issue?.message ?? 'is wrong');
};

/** The files to write, listed in one blob as a project's are: a single one under its own name. */
const storeOutput = async (
  { blobs }: PredictDependencies,
  { output }: Scored,
  { output: { using, location }, save_mode: saveMode }: Config,
): Promise<Partial<Artifact> & { attributes: Record<string, string> }> => {
  const files = [];
  for (const { path, file } of await filesIn(output)) files.push({ path, ...(await blobs.put({ file })) });
  const { digest, size } = await blobs.put(new TextEncoder().encode(JSON.stringify({ files })));
  return {
    name: 'scored_output',
    kind: 'scored_output',
    digest,
    size,
    mediaType: 'application/json',
    attributes: { using, location, saveMode },
  };
};

const filesIn = async (output: string): Promise<readonly { path: string; file: string }[]> => {
  if ((await stat(output)).isFile()) return [{ path: basename(output), file: output }];
  const entries = await readdir(output, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => ({ path: relative(output, file).replaceAll('\\', '/'), file }));
};
