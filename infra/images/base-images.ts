import { chmod, copyFile, cp, glob, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { locateNatsServer } from '@millrace/broker';
import { cachedTool, run } from '../tools/cached-tool.ts';
import { unpackPackages } from '../tools/debian-packages.ts';
import type { DockerEngine } from '../tools/docker-engine.ts';

const root = join(import.meta.dirname, '..', '..');

/** What Node needs; as in images that are called distroless, there is neither a shell nor a package manager. */
const runtimePackages = [
  ...['base-files', 'base-passwd', 'netbase', 'tzdata'],
  ...['libc6', 'libgcc-s1', 'gcc-12-base', 'libstdc++6'],
];
/** What services use besides that run users' Python. */
const pythonPackages = [
  ...['python3', 'python3-minimal', 'python3.11', 'python3.11-minimal', 'libpython3-stdlib'],
  ...['libpython3.11-minimal', 'libpython3.11-stdlib', 'media-types', 'libgomp1'],
  ...['libbz2-1.0', 'libcrypt1', 'libdb5.3', 'libexpat1', 'libffi8', 'liblzma5', 'libncursesw6', 'libnsl2'],
  ...['libreadline8', 'libsqlite3-0', 'libssl3', 'libtinfo6', 'libtirpc3', 'libtirpc-common', 'libuuid1'],
  ...[
    'libgssapi-krb5-2',
    'libk5crypto3',
    'libkeyutils1',
    'libkrb5-3',
    'libkrb5support0',
    'libcom-err2',
    'zlib1g',
  ],
];
/** What a build stage uses besides. */
const buildPackages = [
  ...['dash', 'coreutils', 'libacl1', 'libattr1', 'libselinux1', 'libpcre2-8-0', 'libgmp10', 'libssl3'],
];

const certificates = 'etc/ssl/certs/ca-certificates.crt';

const addSystemFiles = async (directory: string): Promise<void> => {
  for (const name of ['passwd', 'group']) {
    const master = await readFile(join(directory, `usr/share/base-passwd/${name}.master`), 'utf8');
    const own = name === 'passwd' ? 'node:x:1000:1000::/home/node:/usr/sbin/nologin\n' : 'node:x:1000:\n';
    await writeFile(join(directory, 'etc', name), `${master}${own}`);
  }
  for (const name of ['tmp', 'home/node', dirname(certificates), 'usr/local/bin', 'etc/nats']) {
    await mkdir(join(directory, name), { recursive: true });
  }
  await chmod(join(directory, 'tmp'), 0o1777);
  await copyFile(join('/', certificates), join(directory, certificates));
  await removeManuals(directory);
};

const removeManuals = async (directory: string): Promise<void> => {
  for (const name of ['doc', 'man', 'locale', 'lintian']) {
    await rm(join(directory, 'usr/share', name), { recursive: true, force: true });
  }
};

const addUv = async (directory: string, version: string): Promise<void> => {
  const uv = await cachedTool('uv', version, async (draft) => {
    await run('python3', [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--no-deps',
      '--dest',
      draft,
      `uv==${version}`,
    ]);
    for (const wheel of await Array.fromAsync(glob('*.whl', { cwd: draft }))) {
      await run('python3', ['-m', 'zipfile', '-e', wheel, '.'], { cwd: draft });
      await rm(join(draft, wheel));
    }
  });
  const target = join(directory, 'usr/local/bin/uv');
  await copyFile(join(uv, `uv-${version}.data/scripts/uv`), target);
  await chmod(target, 0o755);
};

const npmVersion = '11.19.1';

const addNpm = async (directory: string): Promise<void> => {
  const npm = await cachedTool('npm', npmVersion, async (draft) => {
    await run('npm', ['pack', '--silent', '--pack-destination', draft, `npm@${npmVersion}`]);
    await run('tar', ['-xzf', `npm-${npmVersion}.tgz`, '--strip-components=1'], { cwd: draft });
    await rm(join(draft, `npm-${npmVersion}.tgz`));
  });
  await cp(npm, join(directory, 'usr/local/lib/node_modules/npm'), { recursive: true });
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(directory, 'usr/local/bin/npm'));
};

/** Makes an image of one layer from a directory. */
const importImage = async (
  { docker }: DockerEngine,
  directory: string,
  image: string,
  changes: readonly string[] = [],
): Promise<void> => {
  const archive = `${directory}.tar`;
  await run('tar', ['-C', directory, '-cf', archive, '.']);
  await docker('import', ...changes.flatMap((change) => ['--change', change]), archive, image);
  await rm(archive);
};

export interface BaseImages {
  readonly runtime: string;
  /** With Python and uv. */
  readonly pythonRuntime: string;
}

/**
 * Makes the images that ours are built from, by the names that the Dockerfile and docker-compose.yml use, from packages
 * of Debian, the locked Node and our own `nats-server`: for machines that reach no registry of images. Of `uv` the
 * version is given.
 */
export const makeBaseImages = async (
  engine: DockerEngine,
  directory: string,
  names: { readonly node: string; readonly nats: string; readonly uv: string },
): Promise<BaseImages> => {
  const runtime = join(directory, 'runtime');
  await unpackPackages(runtimePackages, runtime);
  await addSystemFiles(runtime);
  await copyFile(join(root, 'node_modules/node/bin/node'), join(runtime, 'usr/local/bin/node'));
  const runtimeImage = 'millrace-base/runtime:debian-12';
  await importImage(engine, runtime, runtimeImage);

  const python = join(directory, 'python');
  await cp(runtime, python, { recursive: true, verbatimSymlinks: true });
  await unpackPackages(pythonPackages, python);
  await removeManuals(python);
  await addUv(python, names.uv);
  const pythonRuntime = 'millrace-base/python-runtime:debian-12';
  await importImage(engine, python, pythonRuntime);

  await unpackPackages(buildPackages, runtime);
  await addNpm(runtime);
  await importImage(engine, runtime, names.node, [
    'ENV PATH=/usr/local/bin:/usr/bin:/bin',
    `ENV NODE_EXTRA_CA_CERTS=/${certificates}`,
  ]);

  const nats = join(directory, 'nats');
  // Built with Go here, it is linked with the C library.
  await unpackPackages(['busybox-static', 'libc6'], nats);
  for (const name of ['wget', 'sh']) await symlink('busybox', join(nats, 'bin', name));
  await mkdir(join(nats, 'usr/local/bin'), { recursive: true });
  await mkdir(join(nats, 'etc'), { recursive: true });
  await copyFile((await locateNatsServer()).path, join(nats, 'usr/local/bin/nats-server'));
  await importImage(engine, nats, names.nats, [
    'ENTRYPOINT ["/usr/local/bin/nats-server"]',
    'ENV PATH=/usr/local/bin:/bin',
  ]);
  return { runtime: runtimeImage, pythonRuntime };
};
