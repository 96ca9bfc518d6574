import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serviceNames } from '@millrace/service-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepare } from '../compose/prepare.ts';
import { secretVariables } from '../images/secret-files.mjs';
import { run } from '../tools/cached-tool.ts';
import { installCompose } from '../tools/compose.ts';
import { documentedVariables, isDocumented } from './documented-variables.ts';
import { runsPython } from './python-services.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface ComposeService {
  readonly image: string;
  readonly build?: { readonly dockerfile: string; readonly args: Readonly<Record<string, string>> };
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly ports?: readonly {
    readonly host_ip?: string;
    readonly target: number;
    readonly published: string;
  }[];
  readonly volumes?: readonly { readonly type: string; readonly source: string; readonly target: string }[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: unknown;
  readonly deploy?: { readonly resources?: { readonly limits?: Readonly<Record<string, unknown>> } };
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly user?: string;
  readonly privileged?: boolean;
}

interface Project {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly configs: Readonly<Record<string, { readonly file: string }>>;
}

describe('docker-compose.yml', () => {
  let directory: string;
  let light: Project;
  let full: Project;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-compose-'));
    await prepare(directory);
    const compose = await installCompose();
    const config = async (...options: readonly string[]): Promise<Project> => {
      const env = { PATH: process.env.PATH, HOME: process.env.HOME, SECRETS: directory };
      return JSON.parse(
        await run(compose, [...options, 'config', '--format', 'json'], { cwd: root, env }),
      ) as Project;
    };
    light = await config();
    full = await config('--env-file', join('infra', 'compose', 'full.env'));
  }, 120_000);
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('starts the services and the broker alone, or with everything', () => {
    const started = Object.keys(light.services);
    expect(started).toEqual(expect.arrayContaining([...serviceNames, 'keeper', 'nats']));
    for (const absent of ['mongodb-1', 'kafka', 'object-store', 'grafana'])
      expect(started).not.toContain(absent);
    const everything = ['mongodb-1', 'mongodb-2', 'mongodb-3', 'mongodb-users', 'kafka', 'object-store'];
    const watching = ['otel-collector', 'jaeger', 'prometheus', 'grafana'];
    expect(Object.keys(full.services)).toEqual(
      expect.arrayContaining([...started, ...everything, ...watching]),
    );
  });

  it.each(serviceNames)('runs %s from an image of its own, without rights that it does not need', (name) => {
    const service = full.services[name];
    expect(service?.build?.args).toEqual({
      SERVICE: name,
      ...(runsPython(name) ? { RUNTIME: 'python' } : {}),
    });
    expect(existsSync(join(root, service?.build?.dockerfile ?? 'missing'))).toBe(true);
    expect(service?.image).toBe(`millrace/${name}:0.1.0`);
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    expect(service?.privileged ?? false).toBe(false);
  });

  it.each(serviceNames)('keeps the store of %s in a volume that no other service mounts', (name) => {
    const own = `/data/${name}`;
    const mounts = Object.entries(full.services).flatMap(([service, { volumes = [] }]) =>
      volumes.filter(({ target }) => target === own).map(({ source }) => `${service}: ${source}`),
    );
    expect(mounts).toEqual([`${name}: ${name}`]);
  });

  it('keeps environments of Python in one volume, for the services that run it', () => {
    for (const name of serviceNames) {
      const sources = full.services[name]?.volumes?.filter(({ target }) => target === '/data/python');
      expect(sources?.map(({ source }) => source)).toEqual(runsPython(name) ? ['python'] : []);
    }
    expect(read('infra/images/Dockerfile')).toContain('MILLRACE_PYTHON_DIR=/data/python');
  });

  it('tells every service where the others are, by the ports of the image', () => {
    const exposed = [...read('infra/images/Dockerfile').matchAll(/MILLRACE_(GRPC|HTTP)_PORT=(\d+)/g)];
    const ports = Object.fromEntries(exposed.map(([, listener, port]) => [listener, port]));
    for (const name of serviceNames) {
      const environment = full.services[name]?.environment ?? {};
      for (const other of serviceNames) {
        for (const listener of ['GRPC', 'HTTP']) {
          const value = environment[`MILLRACE_${other.toUpperCase()}_${listener}`];
          expect(value, `${listener} of ${other}, for ${name}`).toBe(`${other}:${ports[listener]}`);
        }
      }
    }
    expect(full.services.gateway?.ports).toMatchObject([{ target: Number(ports.HTTP), published: '7700' }]);
  });

  it('sets only variables that docs/configuration.md has', () => {
    for (const project of [light, full]) {
      for (const name of serviceNames) {
        const set = Object.keys(project.services[name]?.environment ?? {});
        const unknown = set.filter((variable) => !isDocumented(variable));
        expect(unknown, name).toEqual([]);
      }
    }
  });

  it('documents each variable whose value may lie in a file', () => {
    for (const variable of secretVariables) {
      expect(documentedVariables()).toContain(variable);
      expect(read('docs/configuration.md')).toContain(`\`${variable}\``);
    }
  });

  it('publishes ports on loopback only', () => {
    for (const [name, { ports = [] }] of Object.entries(full.services)) {
      for (const port of ports) expect(`${name} ${port.host_ip}`).toBe(`${name} 127.0.0.1`);
    }
  });

  it('pins every image by a version', () => {
    for (const { image } of Object.values(full.services)) {
      expect(image).toMatch(/:v?\d+\.\d+(\.\d+)?(-[a-z0-9]+)?$/);
    }
    const bases = [...read('infra/images/Dockerfile').matchAll(/^ARG \w+_IMAGE=([a-z]\S*)/gm)].map(
      ([, image]) => image,
    );
    expect(bases).toContain(`node:${nodeVersion()}-bookworm-slim`);
    expect(bases).toContain(full.services.nats?.image);
    const [, uv = 'none'] = /^ARG UV_VERSION=(.*)$/m.exec(read('infra/images/Dockerfile')) ?? [];
    expect(read('libs/python-runtime/src/environments/locate-installer.ts')).toContain(`'${uv}'`);
  });

  it('limits what every container may use, and knows when it is healthy', () => {
    // These have no program to check with, or end when they are done.
    const unchecked = new Set(['mongodb-users', 'otel-collector', 'jaeger', 'object-store']);
    for (const [name, service] of Object.entries(full.services)) {
      if (name === 'mongodb-users') continue;
      expect(service.deploy?.resources?.limits, name).toMatchObject({ memory: expect.anything() });
      const hasCheck =
        service.healthcheck !== undefined || (serviceNames as readonly string[]).includes(name);
      expect(hasCheck || unchecked.has(name), `health of ${name}`).toBe(true);
      // `docker compose up --wait` fails where a check is switched off.
      expect(service.healthcheck ?? {}).not.toHaveProperty('disable');
    }
    expect(read('infra/images/Dockerfile')).toContain('HEALTHCHECK');
  });

  it('holds no secret: each is a file that is made on the machine', async () => {
    const text = JSON.stringify([light, full]);
    const values = await Promise.all(
      Object.values(full.secrets).map(async ({ file }) => (await readFile(file, 'utf8')).trim()),
    );
    for (const value of values) expect(text).not.toContain(value);
    for (const { file } of Object.values(full.secrets)) expect(file.startsWith(directory)).toBe(true);
    expect(read('docker-compose.yml')).not.toMatch(
      /(password|secret|token)\w*:\s*["']?[A-Za-z0-9+=_-]{12,}["']?$/im,
    );
  });

  it('mounts configuration that is there', () => {
    for (const { file } of Object.values(full.configs)) expect(existsSync(file), file).toBe(true);
  });

  it('has the metrics of every service scraped', () => {
    const scraped = read('infra/compose/prometheus.yml');
    for (const name of serviceNames) expect(scraped).toContain(`${name}:7711`);
  });
});

const nodeVersion = (): string =>
  (JSON.parse(read('package.json')) as { devDependencies: { node: string } }).devDependencies.node;
