import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { MillraceClient } from '@millrace/client';
import type { Artifact } from '@millrace/contracts/step';
import { manifestMediaType } from '@millrace/modeling/manifest';
import { short } from '../format.ts';
import { downloadFile, downloadPackage } from '../project/download-package.ts';
import { parseModelVersion } from '../references.ts';

/**
 * Fetches an artifact into a directory: a file, or a directory where it is a package, below a directory named by its
 * digest, so that one that is there already is complete and is not fetched again. Returns its path.
 */
export const fetchArtifact = async (
  client: MillraceClient,
  artifact: Artifact,
  directory: string,
  file: string,
): Promise<string> => {
  if (artifact.digest === '' || artifact.kind === 'model_version') {
    return writeDocument(join(directory, file), await documentOf(client, artifact));
  }
  const path = join(directory, short(artifact.digest), file);
  if (await stat(path).catch(() => undefined)) return path;
  const partial = `${path}.${process.pid}.partial`;
  await mkdir(dirname(path), { recursive: true });
  try {
    if (artifact.mediaType === manifestMediaType) await downloadPackage(client, artifact.digest, partial);
    else await downloadFile(client, artifact.digest, partial);
    await rename(partial, path);
  } catch (thrown) {
    await rm(partial, { recursive: true, force: true });
    // Somebody else was faster, and a directory is not renamed over another.
    if (!(await stat(path).catch(() => undefined))) throw thrown;
  }
  return path;
};

/** What the owner of an artifact without bytes says of it now. */
const documentOf = async (client: MillraceClient, { kind, id }: Artifact): Promise<unknown> => {
  if (kind === 'training_run') return (await client.training.getRun({ id })).run;
  if (kind === 'model_version') {
    return (await client.registry.getModelVersion(parseModelVersion(id))).modelVersion;
  }
  return { kind, id };
};

const writeDocument = async (path: string, document: unknown): Promise<string> => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(document ?? null, null, 2)}\n`);
  return path;
};
