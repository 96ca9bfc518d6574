import { digestOfBytes, type Evidence } from './evidence.ts';

/** Every blob that something in the final state names, with who names it. */
export const namedBlobs = ({
  runs,
  datasetVersions,
  modelVersions,
  reports,
}: Evidence): ReadonlyMap<string, string> => {
  const named = new Map<string, string>();
  const add = (digest: string | undefined, by: string) => {
    if (digest?.startsWith('sha256:')) named.set(digest, by);
  };
  for (const run of runs) {
    add(run.project?.manifestDigest, `project of ${run.id}`);
    for (const { name, outputs } of run.steps) {
      for (const output of outputs) add(output.digest, `${output.name} of ${run.id}, ${name}`);
    }
  }
  for (const version of datasetVersions) {
    add(version.digest, version.id);
    add(version.profileDigest, `profile of ${version.id}`);
    add(version.quarantineDigest, `quarantine of ${version.id}`);
  }
  for (const { model, version, digest, profileDigest } of modelVersions) {
    add(digest, `${model}/${version}`);
    add(profileDigest, `profile of ${model}/${version}`);
  }
  for (const { id, cardDigest } of reports) add(cardDigest, `card of ${id}`);
  return named;
};

export interface BlobFindings {
  readonly read: number;
  /** Bytes that are not what their name says, and that were handed out all the same. */
  readonly wrong: readonly string[];
  /** Reads that failed. */
  readonly failed: readonly string[];
}

/** Downloads every blob and compares its bytes with its name. */
export const readNamedBlobs = async (evidence: Evidence): Promise<BlobFindings> => {
  const named = namedBlobs(evidence);
  const wrong: string[] = [];
  const failed: string[] = [];
  for (const [digest, by] of named) {
    try {
      const bytes = Buffer.concat(await Array.fromAsync(await evidence.client.downloadBlob(digest)));
      if (digestOfBytes(bytes) !== digest) wrong.push(`${by}: ${digest} has other bytes`);
    } catch (thrown) {
      failed.push(`${by}: ${digest}: ${(thrown as Error).message}`);
    }
  }
  return { read: named.size, wrong, failed };
};
