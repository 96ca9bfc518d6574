import { type BlobStore, type Digest, parseDigest } from '@millrace/blobs';
import { FailedPrecondition, Invalid } from '@millrace/errors';
import { type Manifest, type PickleReport, parseManifest, pickleReportFile } from '@millrace/modeling';
import { parseInputExample, parseMlmodel } from '../domain/model-package.ts';
import type { ExampleRow, Signature } from '../domain/model-version.ts';

/** Bytes: what is read into memory of a package; the model's own files are not. */
const maxManifestBytes = 8_000_000;
const maxDescriptionBytes = 4_000_000;

export interface PackageDescription {
  readonly signature: Signature;
  readonly inputExample: readonly ExampleRow[];
  readonly flavors: readonly string[];
  readonly pickles?: PickleReport;
}

/**
 * Reads what a model package says of itself and checks that all of it is there.
 * @throws Invalid when it is no model package.
 * @throws FailedPrecondition when a file of it is not in the blob store.
 */
export const readModelPackage = async (blobs: BlobStore, digest: Digest): Promise<PackageDescription> => {
  const manifest = parseManifest(await blobs.read(digest, maxManifestBytes));
  await assertComplete(blobs, digest, manifest);
  const mlmodel = await readText(blobs, manifest, 'MLmodel');
  if (mlmodel === undefined) throw Invalid.field('model', 'the package has no MLmodel file');
  const { signature, inputExamplePath, flavors } = parseMlmodel(mlmodel);
  const example =
    inputExamplePath === undefined ? undefined : await readText(blobs, manifest, inputExamplePath);
  const pickles = await readText(blobs, manifest, pickleReportFile);
  return {
    signature,
    inputExample: example === undefined ? [] : parseInputExample(example),
    flavors,
    ...(pickles === undefined ? {} : { pickles: JSON.parse(pickles) as PickleReport }),
  };
};

const readText = async (blobs: BlobStore, { files }: Manifest, path: string): Promise<string | undefined> => {
  const file = files.find((candidate) => candidate.path === path);
  if (file === undefined) return undefined;
  return new TextDecoder().decode(await blobs.read(parseDigest(file.digest), maxDescriptionBytes));
};

const assertComplete = async (blobs: BlobStore, digest: Digest, { files }: Manifest): Promise<void> => {
  for (const { path, digest: fileDigest, size } of files) {
    if ((await blobs.has(parseDigest(fileDigest))) !== size) {
      throw new FailedPrecondition(`${path} of model package ${digest} is not in the blob store`, {
        hint: 'Run the train step again.',
      });
    }
  }
};
