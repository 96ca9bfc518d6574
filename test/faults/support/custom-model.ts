import { rm } from 'node:fs/promises';
import { retried } from '../../support/calls.ts';
import { quickRecipe, someFlights, writeProject } from '../../support/flights-project.ts';
import { submit } from '../../support/runs.ts';
import type { Trial } from './trial.ts';

export interface CustomModel {
  readonly name: string;
  readonly seed: number;
  /** Body of `predict`, which is given `distance`, a row's, and answers a number. */
  readonly answer: string;
  /** Lines of the recipe's deploy step instead of `strategy: direct`, indented by four. */
  readonly deploy?: string;
}

const rows = 200;

/** A project whose model is code of its own, in a child process: it does what its test wants it to. */
export const submitCustomModel = async (
  { millrace: { client } }: Pick<Trial, 'millrace'>,
  { name, seed, answer, deploy = '    strategy: direct' }: CustomModel,
  idempotencyKey: string,
): Promise<string> => {
  const recipe = quickRecipe(name, seed)
    .replace('    using: linear/ridge', '    using: custom\n    estimator_method: model')
    .replace('    strategy: direct', deploy)
    .replace('threshold: 100', 'threshold: 100000');
  const code = `export const model = () => ({
  fit: () => ({}),
  predict: ({ features }) => {
    const rows = features.distance.length;
    return features.distance.map((distance) => { ${answer} });
  },
});
`;
  const root = await writeProject({
    'recipe.yaml': recipe,
    'data/flights.csv': await someFlights(rows),
    'steps/train.ts': code,
  });
  const { id } = await retried('the submission', () => submit(client, { root, idempotencyKey }));
  await rm(root, { recursive: true, force: true });
  return id;
};
