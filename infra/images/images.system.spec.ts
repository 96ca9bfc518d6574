import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { serviceNames } from '@millrace/service-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quickRecipe, someFlights, writeProject } from '../../test/support/flights-project.ts';
import { taxiProject } from '../../test/support/python-projects.ts';
import { prepare } from '../compose/prepare.ts';
import { runsPython } from '../test/python-services.ts';
import { run } from '../tools/cached-tool.ts';
import { installCompose } from '../tools/compose.ts';
import { type DockerEngine, findObstacle, startDockerEngine } from '../tools/docker-engine.ts';
import { type BaseImages, makeBaseImages } from './base-images.ts';
import { unusedPackages } from './unused-packages.ts';

const root = join(import.meta.dirname, '..', '..');
const dockerfile = join('infra', 'images', 'Dockerfile');
const obstacle = await findObstacle();
const minute = 60_000;
const withPython = ['--build-arg', 'RUNTIME=python'];
const pythonServices = serviceNames.filter(runsPython);
/** What an orderly stop may take at most; `runService` gives up before. */
const stopMs = 25_000;

/** Base images as the files name them: `ARG NODE_IMAGE=…` and `image: nats:…`. */
const named = async (file: string, pattern: RegExp): Promise<string> => {
  const found = pattern.exec(await readFile(join(root, file), 'utf8'))?.[1];
  if (found === undefined) throw new Error(`${file} names no image by ${pattern}`);
  return found;
};

/** Of a test; builds and starts take their time on a machine that does other things as well. */
const timeout = 5 * minute;

/** What the recipe's model wants to know of a flight. */
const flight = {
  scheduled_at: '2013-01-01T06:00:00Z',
  carrier: 'DL',
  origin: 'LGA',
  dest: 'ATL',
  distance: 762,
  dep_delay: 12,
  temp: 39.9,
  wind_speed: 16.1,
  precip: 0,
  visib: 10,
};

/** A project of MLflow Recipes whose model answers from a Python worker. */
const pythonProject = async () => {
  const files = await taxiProject();
  const steps = (files['recipe.yaml'] ?? '').replace(
    'custom_metrics:',
    '  deploy:\n    endpoint: taxi\n    alias: production\n    strategy: direct\ncustom_metrics:',
  );
  return { ...files, 'recipe.yaml': steps };
};
const ride = { id: 1, pickup: '2016-02-05T08:15:00Z', trip_distance: 3.2, zone: 'harbour' };

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

if (obstacle !== undefined) print(`images are not built: ${obstacle}`);

describe.skipIf(obstacle !== undefined)('the images on an engine of their own', { timeout }, () => {
  let engine: DockerEngine;
  let runtimes: BaseImages;
  let build: (service: string, ...options: readonly string[]) => Promise<string>;
  let compose: (...args: readonly string[]) => Promise<string>;
  let millrace: (...args: readonly string[]) => Promise<string>;
  let millraceIn: (project: string, ...args: readonly string[]) => Promise<string>;
  let directory: string;

  const container = (service: string): string => `millrace-${service}-1`;
  const inspect = async (name: string, template: string): Promise<string> =>
    (await engine.docker('inspect', '--format', template, name)).trim();
  /** Runs a line of JavaScript in a container, which has no shell. */
  const evaluate = (service: string, line: string): Promise<string> =>
    engine.docker('exec', container(service), 'node', '-e', line);

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-images-'));
    let started = performance.now();
    engine = await startDockerEngine();
    print(`engine started in ${seconds(started)}`);
    started = performance.now();
    runtimes = await makeBaseImages(engine, directory, {
      node: await named(dockerfile, /^ARG NODE_IMAGE=(\S+)/m),
      nats: await named('docker-compose.yml', /image: (nats:\S+)/),
      uv: await named(dockerfile, /^ARG UV_VERSION=(\S+)/m),
    });
    print(`base images made in ${seconds(started)}`);
    build = (service, ...options) =>
      engine.docker(
        ...['build', '-q', '-f', join(root, dockerfile), '--build-arg', `SERVICE=${service}`],
        ...['--build-arg', `RUNTIME_IMAGE=${runtimes.runtime}`],
        ...['--build-arg', `PYTHON_RUNTIME_IMAGE=${runtimes.pythonRuntime}`],
        ...['-t', `millrace/${service}:0.1.0`, ...options, root],
      );
    for (const service of serviceNames) {
      started = performance.now();
      await build(service, ...(pythonServices.includes(service) ? withPython : []));
      print(`millrace/${service} built in ${seconds(started)}`);
    }

    const secrets = join(directory, 'compose');
    await prepare(secrets);
    const env = {
      ...process.env,
      DOCKER_HOST: engine.host,
      SECRETS: secrets,
      COMPOSE_PROFILES: '',
    };
    const program = await installCompose();
    compose = (...args) => run(program, args, { cwd: root, env });
    started = performance.now();
    await compose('up', '--detach', '--no-build', '--pull', 'never', '--wait', '--wait-timeout', '420').catch(
      async (thrown: unknown) => {
        print(await compose('ps', '--all'));
        print(await compose('logs', '--tail', '20'));
        throw thrown;
      },
    );
    print(`${serviceNames.length} services and the broker healthy in ${seconds(started)}`);

    const token = (await readFile(join(secrets, 'gateway-token'), 'utf8')).trim();
    const cli = join(root, 'libs', 'cli', 'src', 'main.ts');
    const project = join(directory, 'project');
    await mkdir(join(project, 'data'), { recursive: true });
    await writeFile(join(project, 'recipe.yaml'), quickRecipe('contained', 7));
    await writeFile(join(project, 'data', 'flights.csv'), await someFlights(400));
    millrace = (...args) => millraceIn(project, ...args);
    millraceIn = (cwd, ...args) =>
      engine.inNetwork(process.execPath, ['--disable-warning=ExperimentalWarning', cli, ...args], {
        cwd,
        env: {
          ...process.env,
          MILLRACE_URL: 'http://127.0.0.1:7700',
          MILLRACE_TOKEN: token,
          NO_COLOR: '1',
        },
      });
  }, 15 * minute);

  afterAll(async () => {
    await engine?.stop();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  }, minute);

  it('hold no service but their own, and no development dependency', async () => {
    const sizeOf = async (image: string): Promise<number> => Number(await inspect(image, '{{.Size}}'));
    const bases = { node: await sizeOf(runtimes.runtime), python: await sizeOf(runtimes.pythonRuntime) };
    print(`base: ${megabytes(bases.node)}, with Python: ${megabytes(bases.python)}`);
    for (const service of serviceNames) {
      const size = await sizeOf(`millrace/${service}:0.1.0`);
      const base = pythonServices.includes(service) ? bases.python : bases.node;
      print(`millrace/${service}: ${megabytes(size)}, ${megabytes(size - base)} on the base`);
      const listing = "JSON.stringify([fs.readdirSync('services'), fs.readdirSync('node_modules')])";
      const listed = await evaluate(service, `console.log(${listing})`);
      const [services, packages] = JSON.parse(listed) as [string[], string[]];
      expect(services).toEqual([service]);
      for (const tool of ['typescript', 'vitest', 'nx', '@biomejs', 'node']) {
        expect(packages).not.toContain(tool);
      }
    }
  });

  it('leave out the query engine where no table is read', async () => {
    for (const service of Object.keys(unusedPackages)) {
      const listed = await evaluate(service, "console.log(fs.existsSync('node_modules/@duckdb'))");
      expect(`${service}: ${listed.trim()}`).toBe(`${service}: false`);
    }
  });

  it('run as a user that is not root, with a root file system that cannot be written', async () => {
    const attempt =
      "const attempt = (file) => { try { fs.writeFileSync(file, 'x'); return 'written'; } catch (e) { return e.code; } };";
    for (const service of serviceNames) {
      const files = JSON.stringify(['/millrace/x', `/data/${service}/x`, '/tmp/x']);
      const line = `${attempt} console.log(JSON.stringify([process.getuid(), ...${files}.map(attempt)]))`;
      const found: unknown = JSON.parse(await evaluate(service, line));
      expect(found, service).toEqual([1000, 'EROFS', 'written', 'written']);
    }
  });

  it('say that they are healthy, and carry labels but no secret', async () => {
    for (const service of serviceNames) {
      expect(await inspect(container(service), '{{.State.Health.Status}}')).toBe('healthy');
      const labels = await inspect(`millrace/${service}:0.1.0`, '{{json .Config.Labels}}');
      expect(JSON.parse(labels)).toMatchObject({
        'org.opencontainers.image.title': `millrace-${service}`,
        'org.opencontainers.image.licenses': 'Apache-2.0',
      });
    }
    const settings = await inspect(container('gateway'), '{{json .Config.Env}}');
    const token = (await readFile(join(directory, 'compose', 'gateway-token'), 'utf8')).trim();
    expect(settings).not.toContain(token);
  });

  it('run a recipe from data to predictions together', async () => {
    const started = performance.now();
    await millrace('run');
    await millrace('approve', 'contained/1');
    const answer = await retried(() => millrace('predict', 'contained', JSON.stringify(flight), '--json'));
    expect(answer).toContain('predictions');
    print(`a run, its approval and a prediction took ${seconds(started)}`);
  });

  it("run a project's Python in one environment, from data to predictions", async () => {
    const started = performance.now();
    const root = await writeProject(await pythonProject(), 'taxi');
    await millraceIn(root, 'run', '--profile', 'local');
    print(`a run in Python, with its environment, took ${seconds(started)}`);
    await millraceIn(root, 'approve', 'taxi_fare_regressor/1');
    const answer = await retried(() => millraceIn(root, 'predict', 'taxi', JSON.stringify(ride), '--json'));
    expect(answer).toContain('predictions');
    print(`with its approval and a prediction, ${seconds(started)}`);
    await rm(dirname(root), { recursive: true });
    for (const service of pythonServices) {
      const found = await evaluate(
        service,
        "console.log(fs.readdirSync('/data/python/environments').length)",
      );
      expect(`${service}: ${found.trim()}`).toBe(`${service}: 1`);
    }
  });

  it('are not built without Python where they run it', async () => {
    await expect(build('evaluation')).rejects.toThrow('build with --build-arg RUNTIME=python');
  });

  it('run together in one container as well, with their broker', async () => {
    const started = performance.now();
    await build('embedded', ...withPython, '--target', 'embedded');
    await engine.docker(
      ...[
        'run',
        '--detach',
        '--name',
        'embedded',
        '--init',
        '--read-only',
        '--tmpfs',
        '/tmp',
        '--cap-drop',
        'ALL',
      ],
      ...['--env', 'MILLRACE_TOKEN=a-token-of-this-very-test', 'millrace/embedded:0.1.0'],
    );
    await retried(async () => {
      const state = await inspect('embedded', '{{.State.Status}} {{.State.Health.Status}}');
      if (state !== 'running healthy')
        throw new Error(`${state}: ${await engine.docker('logs', 'embedded')}`);
    });
    await engine.docker('stop', '--time', String(stopMs / 1000), 'embedded');
    expect(await inspect('embedded', '{{.State.ExitCode}}')).toBe('0');
    print(`the embedded image: built, healthy and stopped in ${seconds(started)}`);
  });

  it('end with code 0 on SIGTERM, each in time', async () => {
    for (const service of [...serviceNames, 'keeper']) {
      const started = performance.now();
      await engine.docker('stop', '--time', String(stopMs / 1000), container(service));
      const code = await inspect(container(service), '{{.State.ExitCode}}');
      expect(`${service}: ${code}`).toBe(`${service}: 0`);
      print(`${service} stopped in ${seconds(started)}`);
    }
  });
});

/** Until it succeeds: the endpoint follows the approval in its own time. */
const retried = async <T>(attempt: () => Promise<T>): Promise<T> => {
  const deadline = Date.now() + 2 * minute;
  for (;;) {
    try {
      return await attempt();
    } catch (thrown) {
      if (Date.now() > deadline) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
};
