import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A recipe that both sides run as it stands. */
export interface BenchRecipe {
  readonly kind: 'regression' | 'classification';
  /** Folder of `examples/`. */
  readonly example: string;
  /** Metric of the test split that both must agree on, by its name at each side. */
  readonly metric: string;
}

export const profile = 'local';

export const recipes: readonly BenchRecipe[] = [
  { kind: 'regression', example: 'sklearn-regression', metric: 'test_root_mean_squared_error' },
  { kind: 'classification', example: 'sklearn-classification', metric: 'test_accuracy_score' },
];

/** What both sides install for the recipe, the newest that MLflow 2.x works with. */
const packages = ['numpy<3', 'pandas<3', 'pyarrow<24', 'scikit-learn<1.6'] as const;

/** The peer's requirements. Its last releases work with no newer SQLAlchemy, and say nothing of it. */
export const peerRequirements: readonly string[] = ['mlflow==2.22.*', 'sqlalchemy<2.1', ...packages];

/**
 * Copies an example to `root` with the versions of packages that the peer has. Its search is switched off: the peer's
 * has no seed, and the results could not be compared.
 */
export const layOut = (
  { example }: BenchRecipe,
  root: string,
  installed: Readonly<Record<string, string>>,
): string => {
  const source = join(import.meta.dirname, '..', '..', '..', 'examples', example);
  cpSync(source, root, { recursive: true, filter: (path) => !path.includes('.millrace') });
  const recipe = join(root, 'recipe.yaml');
  writeFileSync(recipe, readFileSync(recipe, 'utf8').replace('enabled: true', 'enabled: false'));
  const pinned = ['numpy', 'pandas', 'pyarrow', 'scikit-learn'].map((name) => `${name}==${installed[name]}`);
  writeFileSync(join(root, 'requirements.txt'), `${pinned.join('\n')}\n`);
  return root;
};
