import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cachedTool, run } from './cached-tool.ts';
import { unpackPackages } from './debian-packages.ts';

const execute = promisify(execFile);

/** Of Debian 12; the network of the engine is that of a process (slirp4netns), so that the machine's stays as it is. */
const version = 'debian-12';
const packages = [
  ...['docker.io', 'containerd', 'runc', 'tini', 'slirp4netns', 'libslirp0'],
  ...['iptables', 'libxtables12', 'libnftnl11', 'libmnl0', 'libip4tc2', 'libip6tc2'],
  ...['libnetfilter-conntrack3', 'libnfnetlink0', 'libseccomp2', 'libdevmapper1.02.1', 'iproute2', 'libelf1'],
];

const startMs = 60_000;

export interface DockerEngine {
  /** Address of its socket, for `DOCKER_HOST`. */
  readonly host: string;
  /** Runs the Docker command line against it. */
  docker(...args: readonly string[]): Promise<string>;
  /** Runs another program with the engine's network, where published ports are. */
  inNetwork(program: string, args: readonly string[], options?: RunOptions): Promise<string>;
  /** Ends it with all its containers and removes what it stored. */
  stop(): Promise<void>;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Why no engine can be started here; `undefined` when one can. */
export const findObstacle = async (): Promise<string | undefined> => {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return 'an engine is started on Linux on x64 only';
  if (process.getuid?.() !== 0) return 'an engine needs root';
  for (const program of ['apt-get', 'dpkg-deb', 'unshare', 'nsenter', 'setpriv']) {
    const found = await run('which', [program]).catch(() => '');
    if (found === '') return `${program} is not installed`;
  }
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun';
  const kinds = await readFile('/proc/filesystems', 'utf8');
  if (!kinds.includes('overlay')) return 'the kernel has no overlay file system';
  return run('unshare', ['--mount', '--net', '--pid', '--fork', 'true']).then(
    () => undefined,
    () => 'namespaces cannot be made here',
  );
};

/** Starts an engine whose containers, images and network end with this process at the latest. */
export const startDockerEngine = async (): Promise<DockerEngine> => {
  const programs = await cachedTool('docker-engine', version, (draft) => unpackPackages(packages, draft));
  const state = await mkdtemp(join(tmpdir(), 'millrace-docker-'));
  await mkdir(join(state, 'config'));
  const logFile = join(state, 'engine.log');
  const log = openSync(logFile, 'a');
  const script = join(import.meta.dirname, 'docker-engine.sh');
  const namespaces = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
  // The parent's death takes it along, even that by SIGKILL.
  const args = ['--pdeathsig', 'KILL', 'unshare', ...namespaces, 'sh', script, programs, state];
  const child = spawn('setpriv', args, { stdio: ['ignore', log, log] });
  const exited = once(child, 'exit');
  closeSync(log);
  const host = `unix://${join(state, 'docker.sock')}`;
  const engineEnv = { ...process.env, DOCKER_CONFIG: join(state, 'config'), DOCKER_BUILDKIT: '1' };
  const docker = async (...commands: readonly string[]): Promise<string> => {
    const found = await execute(join(programs, 'usr/bin/docker'), ['-H', host, ...commands], {
      env: engineEnv,
      maxBuffer: 64 * 1024 * 1024,
    });
    return found.stdout;
  };
  await untilItAnswers(child, docker, logFile);
  const inner = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')).trim();
  const network = await connectNetwork(programs, inner);
  return {
    host,
    docker,
    inNetwork: (program, commands, options = {}) =>
      run('nsenter', ['-t', inner, '-n', '--', program, ...commands], options),
    stop: async () => {
      network.kill('SIGKILL');
      child.kill('SIGKILL');
      await exited;
      await rm(state, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    },
  };
};

/** Gives the engine's network a way out, for `npm ci` in a build, through an ordinary process. */
const connectNetwork = async (programs: string, inner: string): Promise<ChildProcess> => {
  const args = ['--configure', '--mtu=65520', '--disable-host-loopback', '--ready-fd=3', inner, 'tap0'];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', join(programs, 'usr/bin/slirp4netns'), ...args], {
    env: { ...process.env, LD_LIBRARY_PATH: join(programs, 'usr/lib/x86_64-linux-gnu') },
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const ready = child.stdio[3];
  if (ready === null || ready === undefined)
    throw new Error('slirp4netns has no pipe to say that it is ready');
  const [said] = await Promise.race([
    once(ready, 'data') as Promise<[Buffer]>,
    once(child, 'exit').then(() => [Buffer.from('')] as const),
  ]);
  if (String(said) !== '1') throw new Error(`slirp4netns ended with exit code ${child.exitCode}`);
  return child;
};

const untilItAnswers = async (
  child: ChildProcess,
  docker: DockerEngine['docker'],
  logFile: string,
): Promise<void> => {
  const deadline = performance.now() + startMs;
  for (;;) {
    const answers = await docker('version').then(
      () => true,
      () => false,
    );
    if (answers) return;
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`the Docker engine did not start:\n${await readFile(logFile, 'utf8')}`);
    }
    await pause(100);
  }
};
