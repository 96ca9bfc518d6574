import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { JobMain } from '@millrace/jobs';
import {
  buildPackage,
  type ManifestFile,
  type ModelEnvironment,
  manifestOf,
  type PackagedEstimator,
  type PackagedTransform,
  type Signature,
} from '@millrace/modeling';
import type { Table } from '@millrace/tabular';

export interface PackageJobInput {
  readonly signature: Signature;
  readonly transform: PackagedTransform;
  readonly estimator: PackagedEstimator;
  readonly modelDirectory: string;
  /** Files of a user's transform. */
  readonly transformDirectory?: string;
  /** User code: files by their directory. */
  readonly code: readonly { readonly directory: string; readonly files: readonly string[] }[];
  /** Raw rows for the input example. */
  readonly example: Table;
  readonly environment: ModelEnvironment;
  readonly output: string;
}

export interface PackageJobOutput {
  /** Of the manifest, which is `manifest.json` beside the `files` directory of the output. */
  readonly digest: string;
  readonly size: number;
  /** Their content lies in `files/<path>` of the output. */
  readonly files: readonly ManifestFile[];
}

/** Lays out the model package and its manifest as files. */
const main: JobMain<PackageJobInput, PackageJobOutput> = async (input, context) => {
  context.activity('the packaging of the model');
  const files = buildPackage({
    signature: input.signature,
    transform: input.transform,
    estimator: input.estimator,
    modelFiles: await readAll(input.modelDirectory),
    transformFiles:
      input.transformDirectory === undefined ? new Map() : await readAll(input.transformDirectory),
    code: await readCode(input),
    features: input.example,
    environment: input.environment,
  });
  for (const [path, bytes] of files) {
    const target = join(input.output, 'files', path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, bytes);
  }
  const { manifest, bytes, digest } = manifestOf(files);
  await writeFile(join(input.output, 'manifest.json'), bytes);
  return { digest, size: bytes.length, files: manifest.files };
};
export default main;

const readAll = async (directory: string): Promise<Map<string, Uint8Array>> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry): Promise<[string, Uint8Array]> => {
        const path = join(entry.parentPath, entry.name);
        return [
          path
            .slice(directory.length + 1)
            .split(sep)
            .join('/'),
          await readFile(path),
        ];
      }),
  );
  return new Map(files);
};

const readCode = async ({ code }: PackageJobInput): Promise<Map<string, Uint8Array>> => {
  const files = code.flatMap(({ directory, files: paths }) =>
    paths.map(async (path): Promise<[string, Uint8Array]> => [path, await readFile(join(directory, path))]),
  );
  return new Map(await Promise.all(files));
};
