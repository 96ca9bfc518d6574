import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const module = 'github.com/FerretDB/FerretDB';
const version = 'v1.24.2';

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Builds the server with Go, once per version: about a minute of both processors. */
const install = async (): Promise<string> => {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'millrace', 'ferretdb');
  const target = join(cache, version, 'ferretdb');
  if (await exists(target)) return target;
  await mkdir(join(cache, version), { recursive: true });
  const work = await mkdtemp(join(tmpdir(), 'millrace-ferretdb-'));
  try {
    const cwd = join(work, 'build');
    const sources = join(work, 'sources');
    await mkdir(cwd);
    await run('go', ['mod', 'init', 'build'], { cwd });
    await run('go', ['mod', 'edit', '-require', `${module}@${version}`], { cwd });
    const { stdout } = await run('go', ['mod', 'download', '-json', `${module}@${version}`], { cwd });
    await cp((JSON.parse(stdout) as { Dir: string }).Dir, sources, { recursive: true });
    await run('chmod', ['-R', 'u+w', sources]);
    // Made by its release script, and without it the server does not start.
    await writeFile(join(sources, 'build', 'version', 'version.txt'), `${version}\n`);
    await run('go', ['mod', 'edit', '-replace', `${module}=${sources}`], { cwd });
    const draft = `${target}.${process.pid}`;
    const options = ['build', '-mod=mod', '-tags', 'ferretdb_no_postgresql', '-o', draft];
    await run('go', [...options, `${module}/cmd/ferretdb`], { cwd, maxBuffer: 64 * 1024 * 1024 });
    await rename(draft, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return target;
};

/** A server of MongoDB's protocol that checks passwords (SCRAM), but lets each user do everything. */
export interface FerretServer {
  readonly port: number;
  readonly administrator: { readonly username: string; readonly password: string };
  stop(): Promise<void>;
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
};

/** Starts it with data of its own, and one user who may make others. It is ready once it lets that one in. */
export const startFerretServer = async (): Promise<FerretServer> => {
  const program = await install();
  const directory = await mkdtemp(join(tmpdir(), 'millrace-ferretdb-data-'));
  const port = await freePort();
  const administrator = { username: 'root', password: 'of-this-test-only' };
  const child = spawn(
    program,
    [
      '--handler=sqlite',
      `--sqlite-url=file:${directory}/`,
      `--state-dir=${directory}`,
      `--listen-addr=127.0.0.1:${port}`,
      '--debug-addr=-',
      '--telemetry=disable',
      '--log-level=error',
      '--test-enable-new-auth',
      '--setup-database=admin',
      `--setup-username=${administrator.username}`,
      `--setup-password=${administrator.password}`,
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const exited = once(child, 'exit');
  return {
    port,
    administrator,
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
};
