import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createProgram } from '../src/program.ts';
import { runCommand } from '../src/run-command.ts';

const bin = fileURLToPath(new URL('../bin/millrace.mjs', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'millrace-cli-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

/** Runs the real command in a directory, with a data directory of these tests. */
const millrace = async (
  args: readonly string[],
  cwd = home,
  more: NodeJS.ProcessEnv = {},
): Promise<Ended> => {
  const { MILLRACE_URL: _url, MILLRACE_TOKEN: _token, NATS_URL: _nats, ...env } = process.env;
  const child = spawn(process.execPath, [bin, ...args], {
    cwd,
    env: { ...env, NO_COLOR: '1', MILLRACE_DATA_DIR: join(home, 'data'), MILLRACE_USER: 'ada', ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  expect(`${out}${err}`).not.toMatch(/\n\s+at .+:\d+:\d+/);
  return { code, out, err };
};

/** The same in this process, which is quicker: for what needs no process of its own. */
const inProcess = async (...args: string[]): Promise<Ended> => {
  const written = { out: '', err: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name === 'stdout' ? 'out' : 'err'] += text;
      return true;
    }),
  );
  try {
    const code = await runCommand([...args, '--data-dir', join(home, 'data')]);
    // Colours are decided when the module is loaded, and a continuous integration turns them on.
    return {
      code,
      out: stripVTControlCharacters(written.out),
      err: stripVTControlCharacters(written.err),
    };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
};

const leaves = (command: Command, path: readonly string[] = []): string[][] =>
  command.commands.flatMap((child) => {
    const name = [...path, child.name()];
    return child.commands.length === 0 ? [name] : leaves(child as Command, name);
  });

const program = await createProgram();

describe('help', () => {
  it('lists the commands and the exit codes', async () => {
    const { code, out } = await millrace(['--help']);
    expect(code).toBe(0);
    for (const [name] of leaves(program)) expect(out).toContain(`\n  ${name}`);
    expect(out).toContain('Exit codes:');
    expect((await millrace(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each(leaves(program).map((path) => [path.join(' '), path] as const))(
    'of %s says what it does',
    (_, path) => {
      const command = path.reduce<Command>(
        (parent, name) => parent.commands.find((child) => child.name() === name) as Command,
        program,
      );
      expect(command.description()).not.toBe('');
      expect(command.options.map(({ description }) => description)).not.toContain('');
      expect(command.helpInformation()).toContain('Usage:');
    },
  );
});

describe('wrong input', () => {
  it.each<[string, string[], RegExp]>([
    ['an unknown command', ['dance'], /unknown command 'dance'/],
    ['an unknown command of a group', ['models', 'dance'], /dance|too many arguments/],
    ['an unknown option', ['status', '--loud'], /unknown option '--loud'/],
    ['a missing argument', ['inspect'], /missing required argument 'run'/],
    ['a missing option', ['rollback', 'flights'], /--reason/],
    ['a number that is none', ['runs', 'list', '-n', 'many'], /whole number/],
    ['a version that is none', ['approve', 'flights'], /name\/number/],
    ['a strategy that is none', ['deploy', 'a/1', '-e', 'b', '--strategy', 'yolo'], /--strategy/],
    [
      'two conditions of a trigger',
      ['triggers', 'set', 't', '--project', 'p', '--cron', '* * * * *', '--dataset', 'd'],
      /exactly one/,
    ],
    ['an address that is none', ['models', '--url', 'nowhere'], /is not an address/],
    ['a row that is no JSON', ['predict', 'flights', '{a'], /not JSON/],
    ['a file that is not there', ['predict', 'flights', '-f', 'gone.json'], /--file/],
    ['an unknown template', ['init', 'x', '-t', 'poetry'], /classification, regression/],
    ['a run outside a project', ['run', '--project', '/'], /no recipe\.yaml/],
    ['an artifact that no recipe has', ['recipes', 'get-artifact', '-a', 'money'], /"money" is no artifact/],
    ['a recipe outside a project', ['recipes', 'clean', '--project', '/'], /no recipe\.yaml/],
  ])('(%s) ends with 2 and says what is wrong', async (_, args, message) => {
    const plain = await inProcess(...args);
    expect([plain.code, plain.out]).toEqual([2, '']);
    expect(plain.err).toMatch(message);
    const json = await inProcess(...args, '--json');
    expect([json.code, json.out]).toEqual([2, '']);
    expect(JSON.parse(json.err).error).toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(message),
    });
  });
});

describe('with nothing running', () => {
  it.each([['status'], ['models'], ['runs'], ['alerts']])(
    '%s ends with 8 and says how to start',
    async (...args) => {
      const { code, err } = await millrace([...args, '--url', 'http://127.0.0.1:1']);
      expect(code).toBe(8);
      expect(err).toContain('millrace up');
    },
  );

  it('down ends with 3', async () => {
    expect(await millrace(['down'])).toMatchObject({
      code: 3,
      err: expect.stringContaining('no Millrace runs'),
    });
  });

  it('doctor checks what it can and ends with 5', async () => {
    const { code, out } = await millrace(['doctor', '--json', '--url', 'http://127.0.0.1:1']);
    expect(code).toBe(5);
    const findings = JSON.parse(out) as { check: string; state: string; advice?: string }[];
    expect(findings.map(({ check }) => check)).toEqual([
      'Node',
      'nats-server',
      'data directory',
      'open files here',
      'port',
      'gateway',
    ]);
    expect(findings.at(-1)).toMatchObject({ state: 'fail', advice: expect.stringContaining('millrace up') });
  });

  it('a broken state file of a crashed Millrace is none', async () => {
    const dataDir = join(home, 'crashed');
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'running.json'), '{"pid":');
    expect((await millrace(['down', '--data-dir', dataDir])).code).toBe(3);
  });
});

describe('recipes run', () => {
  it('starts a Millrace in the project where none runs, and uses it from then on', async () => {
    const project = join(home, 'alone');
    cpSync(fileURLToPath(new URL('../templates/regression', import.meta.url)), project, { recursive: true });
    // The directory of the data is the project's; the usual port is taken by somebody else.
    const taken = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const env = { MILLRACE_DATA_DIR: join(project, '.millrace'), MILLRACE_PORT: String(port) };
    try {
      const first = await millrace(['recipes', 'run', '-s', 'ingest'], project, env);
      expect([first.code, first.err]).toEqual([0, expect.stringContaining('starting one')]);
      const second = await millrace(['recipes', 'run', '-s', 'ingest'], project, env);
      expect([second.code, second.err]).toEqual([0, expect.not.stringContaining('starting one')]);
      expect(second.out).toMatch(/✔ ingest {2}cached/);
    } finally {
      await millrace(['down'], project, env);
      taken.close();
    }
  }, 120_000);
});

describe('init', () => {
  it.each(['regression', 'classification'])(
    'makes a %s project, and never over another',
    async (template) => {
      const { code, out } = await millrace(['init', template, '-t', template, '--json']);
      expect([code, JSON.parse(out)]).toEqual([0, { project: join(home, template), template }]);
      expect(await readFile(join(home, template, 'recipe.yaml'), 'utf8')).toContain(`recipe: ${template}/v1`);
      expect(await readFile(join(home, template, 'DATA.md'), 'utf8')).toContain('CC0');
      expect((await millrace(['init', template])).code).toBe(4);
    },
  );

  it.each(['python-regression', 'python-classification'])(
    'makes a %s project of MLflow Recipes',
    async (name) => {
      expect((await inProcess('init', join(home, name), '-t', name)).out).toContain(
        'millrace run --profile local',
      );
      expect(await readFile(join(home, name, 'requirements.txt'), 'utf8')).toContain('scikit-learn');
      expect(await readFile(join(home, name, 'steps/train.py'), 'utf8')).toContain('def estimator_fn');
    },
  );
});

describe('a Millrace on this machine', () => {
  const project = () => join(home, 'trips');
  const run = async (...args: string[]) => millrace(args, project());
  const json = async (...args: string[]) => {
    const { code, out, err } = await inProcess(...args, '--json');
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${err}${out}`);
    return JSON.parse(out);
  };
  beforeAll(async () => {
    cpSync(fileURLToPath(new URL('../templates/classification', import.meta.url)), project(), {
      recursive: true,
    });
    const { code, err } = await millrace(['up', '--detach', '--port', '0']);
    if (code !== 0) throw new Error(err);
  });
  afterAll(async () => {
    await millrace(['down']);
  });

  it('is up once per data directory', async () => {
    expect(await run('up', '--detach', '--port', '0')).toMatchObject({
      code: 4,
      err: expect.stringContaining('millrace down'),
    });
    expect(
      Object.values<{ ready: boolean }>((await json('status')).services).every(({ ready }) => ready),
    ).toBe(true);
  });

  it('runs a template as it stands to the approval, one line per thing that happened', async () => {
    const { code, out } = await run('run');
    expect(code).toBe(0);
    const lines = out.split('\n');
    for (const step of ['ingest', 'split', 'transform', 'train', 'evaluate', 'register']) {
      expect(lines.filter((line) => line.startsWith(`✔ ${step} `))).toHaveLength(1);
    }
    expect(out).toMatch(/… deploy {2}waits for approval of trips\/1/);
    expect(out).toContain('Next: millrace approve trips/1');
    expect(lines.length).toBeLessThan(25);
  });

  it('carries it through approval, prediction and back, every command with one JSON document', async () => {
    await json('approve', 'trips/1', '--reason', 'good');
    expect((await json('watch', 'latest')).state).toBe('RUN_STATE_SUCCEEDED');
    const row = {
      distance: 719,
      dep_delay: 90,
      carrier: 'UA',
      origin: 'EWR',
      dest: 'ORD',
      temp: 37,
      wind_speed: 9,
      precip: 0,
      visib: 10,
      scheduled_at: '2013-03-01T08:00:00Z',
    };
    expect((await json('predict', 'trips', JSON.stringify(row))).predictions).toEqual(['yes']);
    const read = [
      ['runs'],
      ['inspect', 'latest'],
      ['plan', '--project', project()],
      ['push', '--project', project()],
      ['models'],
      ['models', 'show', 'trips'],
      ['models', 'history', 'trips'],
      ['endpoints'],
      ['endpoints', 'show', 'trips'],
      ['drift', 'trips'],
      ['alerts'],
      ['events', 'tail', '--since', 'all', '-n', '1'],
      ['trace', 'latest'],
      ['lineage', 'latest'],
      ['audit'],
      ['audit', 'verify'],
      ['dead'],
      ['triggers'],
      ['triggers', 'set', 'nightly', '--project', 'trips', '--cron', '0 3 * * *'],
      ['triggers', 'delete', 'nightly'],
      ['reactions'],
      ['reactions', 'switch', 'deployment/alert-rolls-back', '--off', '--reason', 'spec'],
      ['models', 'alias', 'trips/1', 'staging'],
      ['doctor'],
    ];
    for (const args of read) expect(await json(...args)).toBeTypeOf('object');
  }, 240_000);

  it.each<[number, string[]]>([
    [3, ['inspect', 'run_00000000000000000000000000']],
    [3, ['models', 'show', 'nothing']],
    [3, ['endpoints', 'show', 'nothing']],
    [3, ['dead', 'show', '99999']],
    [5, ['promote', 'trips']],
    [5, ['rollback', 'trips', '--reason', 'nothing before it']],
    [3, ['predict', 'nothing', '{}']],
    [2, ['predict', 'trips', '{"distance":"far"}']],
  ])('ends with %i on %j', async (expected, args) => {
    const { code, err } = await inProcess(...args);
    expect([code, err]).toEqual([expected, expect.stringMatching(/error /)]);
  });

  it('says that a second run is cached, and what a failed gate left undone', async () => {
    const recipe = join(project(), 'recipe.yaml');
    const text = await readFile(recipe, 'utf8');
    await writeFile(recipe, text.replace('threshold: 0.6', 'threshold: 0.9999'));
    const { code, out, err } = await run('run');
    await writeFile(recipe, text);
    expect(code).toBe(5);
    expect(out).toMatch(/✔ train {2}cached/);
    expect(out).toMatch(/✖ evaluate /);
    for (const step of ['register', 'deploy', 'monitor']) expect(out).toContain(`- ${step}  not run`);
    expect(err).toContain('f1_score');
  });

  it('runs the transform and the metric of its own that the template shows', async () => {
    const recipe = join(project(), 'recipe.yaml');
    const text = await readFile(recipe, 'utf8');
    const own = text
      .replace(/# custom_metrics:\n# {3}-/, 'custom_metrics:\n  -')
      .replace(/ {4}using: auto .*\n {4}drop: .*\n/, '')
      .replace('# using: custom', 'using: custom')
      .replace('# transformer_method', 'transformer_method');
    await writeFile(recipe, own);
    const last = await json('run', '--project', project(), '--step', 'evaluate');
    await writeFile(recipe, text);
    const transform = last.steps.find(({ name }: { name: string }) => name === 'transform');
    expect(transform.summary).toMatchObject({ using: 'custom:transformer', outputColumns: 4 });
  });

  it('gives what the steps made under the names of MLflow Recipes, from any directory below the project', async () => {
    await mkdir(join(project(), 'notebooks'), { recursive: true });
    const below = (...args: string[]) => millrace(['recipes', ...args], join(project(), 'notebooks'));
    const ran = await below('run', '--json', '--progress');
    expect([ran.code, ran.err]).toEqual([0, expect.stringMatching(/✔ register {2}/)]);
    const { id, steps } = JSON.parse(ran.out);
    expect(steps.find(({ name }: { name: string }) => name === 'deploy').state).toBe('STEP_STATE_SKIPPED');

    const model = (await below('get-artifact', '-a', 'model')).out.trim();
    expect(model).toMatch(/trips\/\.millrace\/artifacts\/train\/[0-9a-f]{12}\/model$/);
    expect(await readFile(join(model, 'MLmodel'), 'utf8')).toContain('flavors:');
    const told = await json('recipes', 'get-artifact', '-a', 'test_data', '--project', project());
    expect(told).toMatchObject({ artifact: 'test_data', step: 'split', kind: 'split', run: id });
    expect((await readFile(told.path)).subarray(0, 4).toString()).toBe('PAR1');
    const version = await json(
      'recipes',
      'get-artifact',
      '-a',
      'registered_model_version',
      '--project',
      project(),
    );
    expect(JSON.parse(await readFile(version.path, 'utf8'))).toMatchObject({ model: 'trips', version: 1 });
    const trained = await json('recipes', 'get-artifact', '-a', 'run', '--project', project());
    expect(JSON.parse(await readFile(trained.path, 'utf8')).metrics.val_f1_score).toBeTypeOf('number');
    // This runtime keeps none.
    expect((await below('get-artifact', '-a', 'transformed_training_data')).code).toBe(3);
  }, 120_000);

  it('shows the card of a step and the graph of the recipe as pages', async () => {
    const graph = await json('recipes', 'inspect', '--project', project());
    const page = await readFile(graph.path, 'utf8');
    for (const text of ['Recipe trips', '>register</text>', 'validation_data']) expect(page).toContain(text);
    const card = await json('recipes', 'inspect', '--step', 'evaluate', '--project', project());
    expect(await readFile(card.path, 'utf8')).toMatch(/^<!doctype html>/);
    const ofRun = await run('inspect', card.run, '--step', 'evaluate');
    expect([ofRun.code, ofRun.out.trim()]).toEqual([0, card.path]);
    expect((await run('recipes', 'inspect', '--step', 'deploy')).code).toBe(0);
    expect((await run('recipes', 'inspect', '--step', 'dance')).code).toBe(2);
  }, 120_000);

  it('does a cleaned step anew, and has no artifact of it until then', async () => {
    expect((await run('recipes', 'clean', '-s', 'split')).code).toBe(0);
    expect((await run('recipes', 'get-artifact', '-a', 'training_data')).code).toBe(3);
    const states = async (...args: string[]) => {
      const { steps } = await json('recipes', 'run', ...args, '--project', project());
      return steps.slice(0, 3).map(({ state }: { state: string }) => state.replace('STEP_STATE_', ''));
    };
    expect(await states('-s', 'ingest')).toEqual(['CACHED', 'SKIPPED', 'SKIPPED']);
    expect(await states('-s', 'transform')).toEqual(['CACHED', 'SUCCEEDED', 'SUCCEEDED']);
    expect(await states('-s', 'transform')).toEqual(['CACHED', 'CACHED', 'CACHED']);
    expect((await run('recipes', 'get-artifact', '-a', 'training_data')).code).toBe(0);
  }, 120_000);

  it('compares runs side by side', async () => {
    const first = await json('run', '--project', project(), '--step', 'train');
    const second = await json('run', '--project', project(), '-P', 'quick', '--step', 'train');
    const { fields, runs } = await json('runs', 'compare', first.id, second.id);
    expect(runs).toHaveLength(2);
    expect(fields.some(({ differs }: { differs: boolean }) => differs)).toBe(true);
  });

  it('goes down, and leaves nothing that looks as if it ran', async () => {
    expect((await run('down')).code).toBe(0);
    expect((await run('down')).code).toBe(3);
  });
});
