import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Invalid } from '@millrace/errors';
import { filesAt, isRemote } from '@millrace/recipe';
import type { ProjectFile, ProjectFiles } from '@millrace/service-kit';
import type { FileFormat, SourceFile } from '@millrace/tabular';
import type { Source } from '../domain/dataset-version.ts';
import { type DownloadLimits, download, shownUrl } from './http-download.ts';

/** A file on this machine, and where it came from. */
export interface CollectedFile extends SourceFile {
  readonly source: Source;
}

export interface CollectOptions {
  readonly project: ProjectFiles;
  readonly locations: readonly string[];
  /** Which files of a directory are meant. */
  readonly wanted: WantedFiles;
  /** Path of the section of the recipe, for errors. */
  readonly section: string;
  /** An existing directory of the caller's own. */
  readonly directory: string;
  readonly limits: DownloadLimits;
  readonly signal: AbortSignal;
}

export interface WantedFiles {
  /** `csv`, for messages. */
  readonly kind: string;
  /** By name, without folder. */
  accepts(name: string): boolean;
  /** Whether those in folders of the directory are meant too. */
  readonly deep?: boolean;
}

/** Files that the built-in reader of a format takes. */
export const filesOfFormat = (format: FileFormat): WantedFiles => ({
  kind: format,
  accepts: (name) => extensions[format].test(name),
});

/**
 * Brings the files of all locations to this machine: project files from the snapshot and nowhere else, addresses by
 * HTTP. In the order of the locations, files of one location by name. Throws `Invalid` naming the location.
 */
export const collectFiles = async (options: CollectOptions): Promise<readonly CollectedFile[]> => {
  const { project, locations, directory } = options;
  await mkdir(join(directory, 'project'), { recursive: true });
  const collected: CollectedFile[] = [];
  for (const [index, location] of locations.entries()) {
    const field = `${options.section}.location${locations.length === 1 ? '' : `[${index}]`}`;
    if (isRemote(location)) {
      collected.push(await fetchFile(options, location, field, index));
      continue;
    }
    const files = projectFilesAt(project, location, options.wanted, field);
    const paths = await project.materialize(files, join(directory, 'project'));
    collected.push(...files.map((file, position) => fromProject(file, paths[position] ?? '')));
  }
  return withoutRepeats(collected);
};

const fromProject = ({ path, digest, size }: ProjectFile, local: string): CollectedFile => ({
  path: local,
  label: path,
  source: { location: path, digest, size },
});

const fetchFile = async (
  { directory, limits, signal }: CollectOptions,
  url: string,
  field: string,
  index: number,
): Promise<CollectedFile> => {
  const path = join(directory, `download-${index}`);
  const downloaded = await download({ url, path, field, limits, signal });
  return { path, label: shownUrl(url), source: { location: shownUrl(url), ...downloaded } };
};

const projectFilesAt = (
  project: ProjectFiles,
  location: string,
  { kind: format, accepts, deep = false }: WantedFiles,
  field: string,
): ProjectFile[] => {
  const found = pathsAt(project, location, field, deep);
  // A directory may hold other things; who names a file or a pattern means it.
  const isWanted = (path: string) => !basename(path).startsWith('.') && accepts(basename(path));
  const wanted = isDirectory(project, location) ? found.filter(isWanted) : found;
  if (wanted.length === 0) {
    const kind = found.length === 0 ? 'file' : `${format} file`;
    throw Invalid.field(field, `the project has no ${kind} at "${location}"`, {
      hint: 'Paths are relative to the directory of recipe.yaml.',
    });
  }
  return [...wanted].sort().flatMap((path) => project.find(path) ?? []);
};

const pathsAt = (
  project: ProjectFiles,
  location: string,
  field: string,
  deep: boolean,
): readonly string[] => {
  try {
    return filesAt(
      location,
      project.files.map(({ path }) => path),
      deep,
    );
  } catch (error) {
    throw Invalid.field(field, `"${location}" lies outside the project`, {
      cause: error,
      hint: 'Use a path relative to the project, without "..".',
    });
  }
};

const isDirectory = (project: ProjectFiles, location: string): boolean =>
  !/[*?[{]/.test(location) && project.find(location.replace(/^(\.\/)+/, '')) === undefined;

const extensions: Readonly<Record<FileFormat, RegExp>> = {
  csv: /\.(csv|tsv|txt)(\.gz)?$/i,
  parquet: /\.(parquet|pq)$/i,
  jsonl: /\.(jsonl|ndjson)(\.gz)?$/i,
  json: /\.json(\.gz)?$/i,
};

/** A file that two locations name is read once. */
const withoutRepeats = (files: readonly CollectedFile[]): CollectedFile[] => {
  const byLabel = new Map<string, CollectedFile>();
  for (const file of files) if (!byLabel.has(file.label)) byLabel.set(file.label, file);
  return [...byLabel.values()];
};
