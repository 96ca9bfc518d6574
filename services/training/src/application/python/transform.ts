import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Invalid } from '@millrace/errors';
import { type StepContext, type StepResult, withCard } from '@millrace/service-kit';
import type { TrainingContext } from '../ports.ts';
import { storeDirectory, storeTable } from '../store-package.ts';
import { inWorkspace, packageArtifact } from '../workspace.ts';
import { pythonTransformCard } from './cards.ts';
import { openWorkshop } from './workshop.ts';

/** Columns with pandas' types. */
type Fields = readonly { readonly name: string; readonly type: string }[];

/** What the job `transform` answers. */
export interface TransformOutput {
  readonly rows: { readonly training: number; readonly validation: number };
  /** Both with the target. */
  readonly input_schema: Fields;
  readonly output_schema: Fields;
  /** The transformer as text. */
  readonly description: string;
  readonly warnings: readonly string[];
}

const tables = ['transformed_training_data', 'transformed_validation_data'] as const;

/**
 * The step `transform` of a recipe in Python. Outputs: `transform`, a package of `transform.json` and the fitted
 * transformer, and the tables `transformed_training_data` and `transformed_validation_data`.
 */
export const runPythonTransform = (context: TrainingContext, step: StepContext): Promise<StepResult> =>
  inWorkspace(context.tempDir, async (directory) => {
    const method = transformerMethod(step.command.config ?? {});
    const workshop = await openWorkshop(context, step, directory);
    const input = {
      ...workshop.recipe,
      train: await workshop.input('train'),
      validation: await workshop.input('validation'),
      transformer_method: method,
      output_dir: workshop.output,
    };
    const fitted = await workshop.run<TransformOutput>('transform', input, [0.1, 0.9]);
    step.progress(0.95, 'storing the transformer');
    const using = method === null ? 'none' : `custom:${method}`;
    const inputColumns = fitted.input_schema.length - 1;
    const outputColumns = fitted.output_schema.length - 1;
    const stored = await storeDirectory(context.blobs, await packageOf(workshop.output, directory));
    const attributes = { using, inputColumns: String(inputColumns), outputColumns: String(outputColumns) };
    const result = {
      outputs: [
        packageArtifact('transform', 'transform', stored, attributes),
        ...(await Promise.all(
          tables.map((name) => storeTable(context.blobs, name, join(workshop.output, `${name}.parquet`))),
        )),
      ],
      summary: {
        using,
        rows: fitted.rows.training,
        inputColumns,
        outputColumns,
        transformer: fitted.description,
        inputSchema: fitted.input_schema,
        outputSchema: fitted.output_schema,
      },
      warnings: fitted.warnings,
    };
    const table = join(workshop.output, `${tables[0]}.parquet`);
    return withCard(step, context.blobs, result, (made) =>
      pythonTransformCard(step, using, fitted, table, made),
    );
  });

/** Null passes the columns on, as in MLflow. */
const transformerMethod = ({ using, transformer_method: method }: Record<string, unknown>): string | null => {
  if (using === 'auto') {
    throw Invalid.field('steps.transform.using', 'auto is not there in a recipe with Python functions', {
      hint: 'Name a function of steps/transform.py in transformer_method, or leave it empty to pass columns on.',
    });
  }
  return typeof method === 'string' && using !== 'none' ? method : null;
};

/** Lays the package out in a directory of its own, which is answered. */
const packageOf = async (output: string, directory: string): Promise<string> => {
  const files = join(directory, 'package');
  await mkdir(files);
  await rename(join(output, 'transformer.pkl'), join(files, 'transformer.pkl'));
  await writeFile(join(files, 'transform.json'), `${JSON.stringify({ kind: 'python' })}\n`);
  return files;
};
