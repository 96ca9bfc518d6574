import { glob, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './cached-tool.ts';

/** Unpacks Debian packages below a directory, without installing them: nothing on this machine changes. */
export const unpackPackages = async (names: readonly string[], directory: string): Promise<void> => {
  const archives = join(directory, '.archives');
  await mkdir(archives, { recursive: true });
  // Apt drops its rights for downloads where it can, and says so when the directory is not its own.
  const download = () =>
    run('apt-get', ['-o', 'APT::Sandbox::User=root', 'download', ...names], { cwd: archives });
  await download().catch(async () => {
    await run('apt-get', ['-o', 'DPkg::Lock::Timeout=300', 'update', '-qq']);
    await download();
  });
  for (const archive of await Array.fromAsync(glob('*.deb', { cwd: archives }))) {
    await run('dpkg-deb', ['-x', join(archives, archive), directory]);
  }
  await rm(archives, { recursive: true });
};
