import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { glob, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);
const sources = join(import.meta.dirname, 'mongo-server');

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Changes with the versions in the POM and with the launcher. */
const versionOfSources = async (): Promise<string> => {
  const hash = createHash('sha256');
  const files = await Array.fromAsync(glob('{pom.xml,src/**/*.java}', { cwd: sources }));
  for (const file of files.sort()) hash.update(await readFile(join(sources, file)));
  return hash.digest('hex').slice(0, 16);
};

/** Why the server cannot be had here; `undefined` when it can. */
export const findObstacle = async (): Promise<string | undefined> => {
  for (const [program, option] of [
    ['java', '-version'],
    ['mvn', '--version'],
  ] as const) {
    const found = await run(program, [option]).then(
      () => true,
      () => false,
    );
    if (!found) return `${program} is not installed`;
  }
  return undefined;
};

/** Builds the server with Maven, once per version; several processes may ask at once. */
const install = async (): Promise<string> => {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'millrace', 'mongo-server');
  const target = join(cache, await versionOfSources());
  if (await exists(target)) return target;
  await mkdir(cache, { recursive: true });
  const draft = `${target}.${process.pid}`;
  const libraries = `-DoutputDirectory=${join(draft, 'lib')}`;
  const goals = ['compile', 'dependency:copy-dependencies', libraries, '-DincludeScope=runtime'];
  await run('mvn', ['-q', '-B', '-f', join(sources, 'pom.xml'), `-Doutput=${draft}`, ...goals]);
  await rename(draft, target).catch(async (thrown: unknown) => {
    // Another process was faster.
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(target))) throw thrown;
  });
  return target;
};

/** A server that speaks MongoDB's protocol: see the README for what of MongoDB it lacks. */
export interface MongoServer {
  readonly port: number;
  readonly url: string;
  /** Kills it as a crash would. */
  kill(): Promise<void>;
}

export interface MongoServerOptions {
  /** Default any free port. */
  readonly port?: number;
  /** Where to keep the data; by default they are in memory. */
  readonly file?: string;
}

const portFrom = async (child: ChildProcess): Promise<number> => {
  for await (const line of createInterface({ input: child.stdout! })) {
    const port = /^port (\d+)$/.exec(line)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`the server ended with exit code ${child.exitCode} before it listened`);
};

/** Starts a server that ends with this process at the latest. */
export const startMongoServer = async ({ port = 0, file }: MongoServerOptions = {}): Promise<MongoServer> => {
  const directory = await install();
  const classPath = [join(directory, 'classes'), join(directory, 'lib', '*')].join(delimiter);
  const settings = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', classPath];
  const args = [...settings, 'millrace.MongoServerMain', String(port), ...(file === undefined ? [] : [file])];
  const child = spawn('java', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const listening = await portFrom(child);
  return {
    port: listening,
    url: `mongodb://127.0.0.1:${listening}`,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
};
