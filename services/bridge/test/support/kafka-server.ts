import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const pom = join(import.meta.dirname, 'kafka-server', 'pom.xml');

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const versionOf = async (): Promise<string> => {
  const version = /<artifactId>kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(
    await readFile(pom, 'utf8'),
  )?.[1];
  if (version === undefined) throw new Error(`no version of Kafka in ${pom}`);
  return version;
};

/** Fetches Kafka's jars with Maven, once per version; several processes may ask at once. */
const install = async (): Promise<string> => {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'millrace', 'kafka-server');
  const target = join(cache, await versionOf());
  if (await exists(target)) return target;
  await mkdir(cache, { recursive: true });
  const draft = `${target}.${process.pid}`;
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${draft}`, '-DincludeScope=runtime'];
  await run('mvn', ['-q', '-B', '-f', pom, ...goal]);
  await rename(draft, target).catch(async (thrown: unknown) => {
    // Another process was faster.
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(target))) throw thrown;
  });
  return target;
};

const freePort = async (): Promise<number> => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

/** One broker, which is its own controller. */
const propertiesOf = (directory: string, port: number, controllerPort: number, more: readonly string[]) => [
  'process.roles=broker,controller',
  'node.id=1',
  `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
  `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
  `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
  'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
  'controller.listener.names=CONTROLLER',
  `log.dirs=${directory}/data`,
  'offsets.topic.replication.factor=1',
  'offsets.topic.num.partitions=1',
  'group.initial.rebalance.delay.ms=0',
  'auto.create.topics.enable=false',
  'controlled.shutdown.enable=false',
  ...more,
];

/** A Kafka that can be hit. */
export interface KafkaServer {
  readonly broker: string;
  readonly version: string;
  /** Ends it as a crash would, keeping its data. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
  /** Stops it from doing anything, its connections open, until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends it and forgets its data. */
  remove(): Promise<void>;
}

/** Formats a data directory and starts a broker, which ends with this process at the latest. */
export const startKafkaServer = async (more: readonly string[] = []): Promise<KafkaServer> => {
  const libraries = await install();
  const directory = await mkdtemp(join(tmpdir(), 'millrace-kafka-'));
  const port = await freePort();
  const properties = join(directory, 'server.properties');
  await writeFile(properties, propertiesOf(directory, port, await freePort(), more).join('\n'));
  const java = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', join(libraries, '*')];
  await run('java', [
    ...java,
    'kafka.tools.StorageTool',
    'format',
    '-t',
    'bWlsbHJhY2UtdGVzdC0wMQ',
    '-c',
    properties,
  ]);
  let process = await launch(java, properties, port);
  return {
    broker: `127.0.0.1:${port}`,
    version: await versionOf(),
    kill: () => process.kill(),
    restart: async () => {
      process = await launch(java, properties, port);
    },
    pause: () => process.signal('SIGSTOP'),
    resume: () => process.signal('SIGCONT'),
    remove: async () => {
      await process.kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

/** The shell ends the server when our end of its input closes, however this process ends. */
const guarded = '"$@" & server=$!; echo $server; cat > /dev/null; kill -9 $server';
const startTimeoutMs = 60_000;

const launch = async (java: readonly string[], properties: string, port: number) => {
  const args = ['-c', guarded, 'sh', 'java', ...java, 'kafka.Kafka', properties];
  const shell: ChildProcess = spawn('sh', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(shell, 'exit');
  const pid = await firstLine(shell);
  const signal = (name: NodeJS.Signals) => void globalThis.process.kill(pid, name);
  const kill = async () => {
    if (shell.exitCode === null) signal('SIGKILL');
    shell.stdin?.end();
    await exited;
  };
  const deadline = performance.now() + startTimeoutMs;
  while (!(await accepts(port))) {
    if (performance.now() > deadline) {
      await kill();
      throw new Error('Kafka did not listen in time');
    }
    await sleep(50);
  }
  return { kill, signal };
};

const firstLine = async (child: ChildProcess): Promise<number> => {
  if (child.stdout === null) throw new Error('no output');
  for await (const line of createInterface({ input: child.stdout })) return Number(line);
  throw new Error('the shell ended');
};

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
