import { cachedTool, run } from './cached-tool.ts';

/** Carries the schemas of Kubernetes' API, up to the release of the same number. */
const version = '1.37.0';

/**
 * Validates the manifests of a file against the schemas of a release of Kubernetes; unknown fields are refused.
 * @returns how many manifests were valid
 * @throws Error with what is wrong in which manifest
 */
export const validateManifests = async (file: string, release: string): Promise<number> => {
  const directory = await cachedTool('kubernetes-validate', version, async (draft) => {
    const wanted = ['--target', draft, `kubernetes-validate==${version}`];
    await run('python3', ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', ...wanted]);
  });
  const printed = await run('python3', ['-m', 'kubernetes_validate', '--strict', '-k', release, file], {
    env: { ...process.env, PYTHONPATH: directory },
  }).catch((thrown: { stdout?: string; stderr?: string }) => {
    throw new Error(`${thrown.stdout ?? ''}${thrown.stderr ?? ''}`.trim() || String(thrown));
  });
  return printed.split('\n').filter((line) => line.includes('passed')).length;
};
