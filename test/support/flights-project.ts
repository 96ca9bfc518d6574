import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const flightsDirectory = join(import.meta.dirname, '..', '..', 'examples', 'flights');

/** The first rows of a month of flights, as CSV with its header. */
export const someFlights = async (rows: number): Promise<string> => {
  const text = await readFile(join(flightsDirectory, 'data/2013-01.csv'), 'utf8');
  return `${text
    .split('\n')
    .slice(0, rows + 1)
    .join('\n')}\n`;
};

/** A recipe with every step and a quick model. The seed makes each project's model another one. */
export const quickRecipe = (name: string, seed: number): string => `recipe: regression/v1
name: ${name}
target_col: arr_delay
primary_metric: root_mean_squared_error
seed: ${seed}
steps:
  ingest:
    using: csv
    location: data/*.csv
  split:
    split_ratios: [0.7, 0.15, 0.15]
  train:
    using: linear/ridge
  evaluate:
    validation_criteria:
      - { metric: root_mean_squared_error, threshold: 100 }
  register:
    model_name: ${name}
  deploy:
    endpoint: ${name}
    alias: production
    strategy: direct
  monitor:
    window: { records: 100 }
`;

/**
 * Writes files, by path, into a new temporary directory and answers its path. With a name the directory is one below it
 * that is called so: projects are called like their directories, and those of one name share what is cached.
 */
export const writeProject = async (files: Readonly<Record<string, string>>, name = ''): Promise<string> => {
  const root = join(await mkdtemp(join(tmpdir(), 'millrace-project-')), name);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
};
