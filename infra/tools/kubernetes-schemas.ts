import { cachedTool, run } from './cached-tool.ts';

/** Carries the schemas of Kubernetes' API, up to the release of the same number. */
const version = '1.37.0';

export interface Validation {
  /** Manifests that fit their schema. */
  readonly valid: number;
  /** Kinds that are no part of Kubernetes itself, and so were not looked at. */
  readonly unknownKinds: readonly string[];
}

/**
 * Validates the manifests of a file against the schemas of a release of Kubernetes; unknown fields are refused.
 * @throws Error with what is wrong in which manifest
 */
export const validateManifests = async (file: string, release: string): Promise<Validation> => {
  const directory = await cachedTool('kubernetes-validate', version, async (draft) => {
    const wanted = ['--target', draft, `kubernetes-validate==${version}`];
    const quiet = ['-q', '--disable-pip-version-check', '--root-user-action=ignore'];
    await run('python3', ['-m', 'pip', 'install', ...quiet, ...wanted]);
  });
  const args = ['-m', 'kubernetes_validate', '--strict', '-k', release, file];
  const env = { ...process.env, PYTHONPATH: directory };
  const printed = await run('python3', args, { env }).catch(
    (thrown: { stdout?: string; stderr?: string }) => {
      throw new Error(`${thrown.stdout ?? ''}${thrown.stderr ?? ''}`.trim() || String(thrown));
    },
  );
  const unknown = [...printed.matchAll(/Couldn't find schema for kind (\S+)/g)].map(([, kind]) => kind ?? '');
  return { valid: printed.match(/ passed for resource /g)?.length ?? 0, unknownKinds: [...new Set(unknown)] };
};
