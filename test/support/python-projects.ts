import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom } from '@millrace/random';

const fixtures = join(import.meta.dirname, '..', 'fixtures');

/** The files of a fixture project, by path. */
export type ProjectFiles = Readonly<Record<string, string>>;

const filesOf = async (name: string): Promise<Record<string, string>> => {
  const root = join(fixtures, name);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(
    files.map(async (file) => [file.slice(root.length + 1), await readFile(file, 'utf8')]),
  );
  return Object.fromEntries(texts);
};

/** Made-up taxi rides: the fare follows distance, zone and hour; one in fifty is not known, one in a hundred is wrong. */
const rides = (rows: number, seed: number): string => {
  const random = createRandom(seed).derive('taxi');
  const zones = ['airport', 'harbour', 'centre', 'suburb'];
  const lines = Array.from({ length: rows }, (_, row) => {
    const distance = 0.5 + 20 * random.uniform() ** 2;
    const zone = Math.floor(zones.length * random.uniform());
    const hour = Math.floor(24 * random.uniform());
    const minute = Math.floor(60 * random.uniform());
    const fare = 3 + 2.2 * distance + 4 * (zone === 0 ? 1 : 0) + 0.05 * hour + random.uniform();
    const known = random.uniform() < 0.02 ? '' : random.uniform() < 0.01 ? '-1' : fare.toFixed(2);
    const time = `2016-02-${String(1 + (row % 28)).padStart(2, '0')} ${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}:00`;
    return `${row},${time},${distance.toFixed(3)},${zones[zone]},${known}`;
  });
  return `id,pickup,trip_distance,zone,fare_amount\n${lines.join('\n')}\n`;
};

/** Made-up wines: two kinds that acidity and sugar tell apart, mostly. */
const wines = (rows: number, seed: number): string => {
  const random = createRandom(seed).derive('wine');
  const lines = Array.from({ length: rows }, (_, row) => {
    const red = random.uniform() < 0.4;
    const acidity = (red ? 8.3 : 6.9) + 1.5 * (random.uniform() - 0.5);
    const sugar = (red ? 2.5 : 6.4) + 5 * (random.uniform() - 0.5);
    return `${acidity.toFixed(2)},${sugar.toFixed(2)},${(9 + 4 * random.uniform()).toFixed(1)},${row},${red ? 'red' : 'white'}`;
  });
  return `acidity,sugar,alcohol,batch,kind\n${lines.join('\n')}\n`;
};

/** A regression project of MLflow Recipes: a loader of two arguments, a filter, a pipeline, a metric of its own. */
export const taxiProject = async (): Promise<ProjectFiles> => ({
  ...(await filesOf('taxi')),
  'data/taxi.csv': rides(600, 1),
});

/** A classification project: a loader of one argument over two files, a split of its own, no transformer, tuning. */
export const wineProject = async (): Promise<ProjectFiles> => ({
  ...(await filesOf('wine')),
  'data/b.csv': wines(200, 2),
  'data/a.csv': wines(300, 1),
});

/** Processes of the machine that work below a directory, by their working directory or command line. */
export const processesBelow = async (directory: string): Promise<readonly number[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return cwd.startsWith(directory) || command.includes(directory) ? [pid] : [];
    }),
  );
  return found.flat();
};
