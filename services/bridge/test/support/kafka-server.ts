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

/** The release that the POM pins. */
export const versionOfKafka = async (): Promise<string> => {
  const version = /<artifactId>kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(
    await readFile(pom, 'utf8'),
  )?.[1];
  if (version === undefined) throw new Error(`no version of Kafka in ${pom}`);
  return version;
};

/** Fetches Kafka's jars with Maven, once per version; several processes may ask at once. */
const install = async (): Promise<string> => {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'millrace', 'kafka-server');
  const target = join(cache, await versionOfKafka());
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

export const freePort = async (): Promise<number> => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

/** One broker, which is its own controller. */
const propertiesOf = (directory: string, { open, secured, controller }: Ports, security?: Security) => [
  'process.roles=broker,controller',
  'node.id=1',
  `controller.quorum.voters=1@127.0.0.1:${controller}`,
  `listeners=PLAINTEXT://127.0.0.1:${open},SECURED://127.0.0.1:${secured},CONTROLLER://127.0.0.1:${controller}`,
  `advertised.listeners=PLAINTEXT://127.0.0.1:${open},SECURED://127.0.0.1:${secured}`,
  `listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:${security === undefined ? 'PLAINTEXT' : 'SASL_SSL'}`,
  'controller.listener.names=CONTROLLER',
  `log.dirs=${directory}/data`,
  'offsets.topic.replication.factor=1',
  'offsets.topic.num.partitions=1',
  'group.initial.rebalance.delay.ms=0',
  'auto.create.topics.enable=false',
  'controlled.shutdown.enable=false',
  ...(security === undefined ? [] : securityOf(security)),
];

const securityOf = ({ certificate, key, user, password }: Security): readonly string[] => {
  const inOneLine = (pem: string) => pem.trim().replaceAll('\n', '\\n');
  const login = 'org.apache.kafka.common.security.plain.PlainLoginModule required';
  return [
    'listener.name.secured.sasl.enabled.mechanisms=PLAIN',
    `listener.name.secured.plain.sasl.jaas.config=${login} user_${user}="${password}";`,
    'listener.name.secured.ssl.keystore.type=PEM',
    `listener.name.secured.ssl.keystore.certificate.chain=${inOneLine(certificate)}`,
    `listener.name.secured.ssl.keystore.key=${inOneLine(key)}`,
  ];
};

interface Ports {
  readonly open: number;
  readonly secured: number;
  readonly controller: number;
}

/** For a second listener, with TLS and SASL/PLAIN. Certificate and key as PEM text. */
export interface Security {
  readonly certificate: string;
  readonly key: string;
  readonly user: string;
  readonly password: string;
}

/** A Kafka that can be hit. */
export interface KafkaServer {
  readonly broker: string;
  /** The listener with TLS and SASL, where they were asked for. */
  readonly securedBroker: string;
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
export const startKafkaServer = async (security?: Security): Promise<KafkaServer> => {
  const libraries = await install();
  const directory = await mkdtemp(join(tmpdir(), 'millrace-kafka-'));
  const ports = { open: await freePort(), secured: await freePort(), controller: await freePort() };
  const properties = join(directory, 'server.properties');
  await writeFile(properties, propertiesOf(directory, ports, security).join('\n'));
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
  let process = await launch(java, properties, ports.open);
  return {
    broker: `127.0.0.1:${ports.open}`,
    securedBroker: `127.0.0.1:${ports.secured}`,
    version: await versionOfKafka(),
    kill: () => process.kill(),
    restart: async () => {
      process = await launch(java, properties, ports.open);
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
