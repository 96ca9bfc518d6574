import { mkdir, rename } from 'node:fs/promises';
import { basename, join, posix } from 'node:path';
import { isRemote } from '@millrace/recipe';
import { type DuckDb, type Relation, viewPandasParquet } from '@millrace/tabular';
import type { PythonWorkshop } from '../adapters/python-workshop.ts';
import type { CollectedFile, WantedFiles } from '../adapters/source-files.ts';
import type { PythonIngestConfig } from '../domain/ingest-config.ts';

/** The table that Python made of the files. */
export interface ReadTable {
  readonly relation: Relation;
  /** As Python wrote it, with the labels of its rows. */
  readonly parquet: string;
  readonly warnings: readonly string[];
}

/** Files of a directory that Python is to see; the job itself chooses among them by their extension. */
export const filesForPython = (using: string): WantedFiles => ({
  kind: using,
  accepts: () => true,
  deep: using === 'delta',
});

interface IngestJobOutput {
  readonly rows: number;
  readonly warnings: readonly string[];
}

export interface PythonRead {
  readonly workshop: PythonWorkshop;
  readonly duck: DuckDb;
  readonly config: PythonIngestConfig;
  readonly files: readonly CollectedFile[];
  readonly directory: string;
  /** Whether it is data to learn from, whose target is checked. */
  readonly training: boolean;
}

/** Reads the files by the project's loader or a reader of pandas, in a worker process. */
export const readWithPython = async (read: PythonRead): Promise<ReadTable> => {
  const { workshop, duck, config, files, directory, training } = read;
  const parquet = join(directory, 'read.parquet');
  const input = {
    using: config.using,
    files: config.using === 'delta' ? [deltaTable(config, directory)] : await named(files, directory),
    single_file: config.single && files.length === 1 && isOneFile(config.location[0] ?? '', files[0]),
    loader_method: config.loader_method ?? null,
    version: config.version ?? null,
    timestamp: config.timestamp ?? null,
    training,
    output: parquet,
  };
  const { warnings } = await workshop.run<IngestJobOutput>('ingest', input, {
    from: 0.2,
    to: 0.5,
    activity: 'reading the data',
  });
  return { relation: await viewPandasParquet(duck, parquet, 'read'), parquet, warnings };
};

interface JobFile {
  readonly path: string;
  readonly name: string;
}

/** Puts the files into one directory under their own names, at which loaders look; those of one name stay apart. */
const named = async (files: readonly CollectedFile[], directory: string): Promise<readonly JobFile[]> => {
  const folder = join(directory, 'files');
  await mkdir(folder);
  const taken = new Set<string>();
  const moved: JobFile[] = [];
  for (const [index, { path, label }] of files.entries()) {
    const name = nameOf(label) ?? `file-${index}`;
    const home = taken.has(name) ? join(folder, `again-${index}`) : folder;
    taken.add(name);
    await mkdir(home, { recursive: true });
    await rename(path, join(home, name));
    moved.push({ path: join(home, name), name });
  }
  return moved;
};

/** Name of a project file or of what an address ends in; undefined when it ends in none. */
const nameOf = (label: string): string | undefined => {
  const path = isRemote(label) ? decoded(new URL(label).pathname) : label;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const name = posix.basename(path).replaceAll(/[\u0000-\u001f\u007f\\]/g, '_');
  return name === '' || name === '.' || name === '..' ? undefined : name;
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** Whether a location names that very file and no directory or pattern. */
const isOneFile = (location: string, file: CollectedFile | undefined): boolean =>
  isRemote(location) || posix.normalize(location) === file?.label;

/** A Delta table is a directory of files in their places. */
const deltaTable = ({ location }: PythonIngestConfig, directory: string): JobFile => {
  const path = posix.normalize(location[0] ?? '').replace(/\/+$/, '');
  return { path: join(directory, 'project', ...path.split('/')), name: basename(path) };
};
