import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inSpan, startTelemetry } from '@millrace/telemetry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChildSpan, createJobPool, type JobProgress, type OutputLine, runJob } from '../src/index.ts';
import { childrenOf, gone, isRunning } from './processes.ts';

const entry = (name: string) => new URL(`./entries/${name}.ts`, import.meta.url);

interface Echo {
  input: unknown;
  answer: unknown;
  pid: number;
  cwd: string;
  env: Record<string, string>;
}

describe('a job', () => {
  it('answers, and its progress, output and questions reach the parent', async () => {
    const progress: JobProgress[] = [];
    const lines: OutputLine[] = [];
    const output = await runJob<Echo>({
      entry: entry('echo'),
      input: { numbers: new Float64Array([1, 2]) },
      onProgress: (value) => progress.push(value),
      onLog: (line) => lines.push(line),
      onQuestion: (question) => `${question} yes`,
    });
    expect(output.input).toEqual({ numbers: new Float64Array([1, 2]) });
    expect(output.answer).toBe('continue? yes');
    expect(progress).toEqual([{ fraction: 0.5, message: 'half' }]);
    expect(lines).toContainEqual({ stream: 'stdout', text: 'line one' });
    expect(lines).toContainEqual({ stream: 'stderr', text: 'line two' });
  });

  it('sees none of the parent’s environment but what is allowed, and a directory of its own that goes', async () => {
    process.env.SECRET_TOKEN = 'x';
    const { env, cwd, pid } = await runJob<Echo>({ entry: entry('echo'), input: 1, env: { ADDED: '1' } });
    delete process.env.SECRET_TOKEN;
    expect(env.SECRET_TOKEN).toBeUndefined();
    expect(env).toMatchObject({ ADDED: '1', HOME: cwd, TMPDIR: cwd });
    await expect(readdir(cwd)).rejects.toThrow('ENOENT');
    expect(await isRunning(pid)).toBe(false);
  });

  it('adds its spans to the trace of the span that it was started in', async () => {
    const telemetry = startTelemetry({ defaultService: 'jobs', env: {} });
    const spans: ChildSpan[] = [];
    const trace = await inSpan('parent', {}, async (span) => {
      await runJob({ entry: entry('echo'), input: 1, onSpans: (finished) => spans.push(...finished) });
      return span.spanContext();
    });
    await telemetry.shutdown();
    expect(spans).toMatchObject([{ name: 'echo', traceId: trace.traceId, parentSpanId: trace.spanId }]);
  });

  it('is killed with everything it started when it is cancelled', async () => {
    const abort = new AbortController();
    const pids: number[] = [];
    const job = runJob({
      entry: entry('spawns'),
      input: null,
      signal: abort.signal,
      onQuestion: (question) => {
        pids.push(...Object.values(question as Record<string, number>));
        abort.abort();
      },
    });
    await expect(job).rejects.toMatchObject({ code: 'cancelled' });
    expect(pids).toHaveLength(2);
    await gone(pids);
  });

  it('is killed with everything it started when its time has passed', async () => {
    const pids: number[] = [];
    const job = runJob({
      entry: entry('spawns'),
      input: null,
      timeoutMs: 1_500,
      activity: 'fit of steps/train.ts',
      onQuestion: (question) => pids.push(...Object.values(question as Record<string, number>)),
    });
    await expect(job).rejects.toMatchObject({
      code: 'timed_out',
      message: 'fit of steps/train.ts did not end within 1.5 s',
    });
    await gone(pids);
  });
});

describe('a job whose process is killed from outside', () => {
  it('fails as something that may work another time', async () => {
    const job = runJob({
      entry: entry('spawns'),
      input: null,
      onQuestion: (question) => process.kill((question as { child: number }).child, 'SIGKILL'),
    });
    await expect(job).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('a job whose parent is killed', () => {
  /** A parent with its job at work, in a directory for temporary files of their own. */
  const start = async () => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-parent-'));
    const parent = spawn(process.execPath, [fileURLToPath(entry('parent'))], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: directory },
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pids = Object.values(JSON.parse(line.toString()) as Record<string, number>);
    return { parent, pids, directory };
  };
  const watchdogOf = async (parent: number): Promise<number> => {
    for (;;) {
      const children = await childrenOf(parent);
      const found = children.find(({ command }) => command.includes('watchdog.mjs'));
      if (found !== undefined) return found.pid;
      await wait(20);
    }
  };

  it('ends with everything it started and its directory, even while it computes without pause', async () => {
    const { parent, pids, directory } = await start();
    const watchdog = await watchdogOf(parent.pid ?? 0);
    expect(await readdir(directory)).toHaveLength(1);
    parent.kill('SIGKILL');
    await gone([...pids, watchdog]);
    expect(await readdir(directory)).toEqual([]);
    await rm(directory, { recursive: true });
  });

  it('ends as well when the watchdog was killed before', async () => {
    const { parent, pids, directory } = await start();
    const first = await watchdogOf(parent.pid ?? 0);
    process.kill(first, 'SIGKILL');
    await gone([first]);
    const second = await watchdogOf(parent.pid ?? 0);
    parent.kill('SIGKILL');
    await gone([...pids, second]);
    await rm(directory, { recursive: true });
  });
});

describe('a pool', () => {
  it('uses a child again, and replaces one that died', async () => {
    const pool = createJobPool({ size: 1 });
    const first = await pool.run<Echo>({ entry: entry('echo'), input: 1 });
    const second = await pool.run<Echo>({ entry: entry('echo'), input: 2 });
    expect(second.pid).toBe(first.pid);
    await expect(pool.run({ entry: entry('spawns'), input: null, timeoutMs: 200 })).rejects.toMatchObject({
      code: 'timed_out',
    });
    const third = await pool.run<Echo>({ entry: entry('echo'), input: 3 });
    expect(third.pid).not.toBe(first.pid);
    await pool.close();
    await gone([first.pid, third.pid]);
    await expect(pool.run({ entry: entry('echo'), input: 4 })).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('runs at most `size` jobs at once and the rest in turn', async () => {
    const pool = createJobPool({ size: 2 });
    const outputs = await Promise.all(
      [1, 2, 3, 4, 5].map((input) => pool.run<Echo>({ entry: entry('echo'), input })),
    );
    expect(outputs.map(({ input }) => input)).toEqual([1, 2, 3, 4, 5]);
    expect(new Set(outputs.map(({ pid }) => pid)).size).toBe(2);
    await pool.close();
  });
});

describe('user code', () => {
  let root = '';
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'millrace-user-'));
    await mkdir(join(root, 'steps'));
  });
  afterAll(() => rm(root, { recursive: true }));

  const runUser = async (source: string, limits: { timeoutMs?: number; memoryMb?: number } = {}) => {
    const file = join(root, 'steps', 'train.ts');
    await writeFile(file, source);
    const lines: OutputLine[] = [];
    const spans: ChildSpan[] = [];
    const output = runJob({
      entry: entry('user'),
      input: file,
      userRoot: root,
      permissions: { read: [root] },
      onLog: (line) => lines.push(line),
      onSpans: (finished) => spans.push(...finished),
      ...limits,
    });
    return { output, lines };
  };

  it('runs as TypeScript under Node’s permission model', async () => {
    const { output } = await runUser('export const main = (): number => 41 + 1;\n');
    expect(await output).toBe(42);
  });

  const broken: readonly [name: string, source: string, error: object][] = [
    [
      'throws',
      'const inner = () => {\n  throw new RangeError("boom");\n};\nexport const main = () => inner();\n',
      { code: 'invalid', message: 'steps/train.ts:2:9: RangeError: boom' },
    ],
    [
      'rejects later',
      'export const main = () => new Promise(() => {\n  setTimeout(() => {\n    throw new Error("late");\n  }, 1);\n});\n',
      { code: 'invalid', message: 'steps/train.ts:3:11: late' },
    ],
    [
      'has a syntax error',
      'export const main = () => {\n  const = 3;\n};\n',
      { code: 'invalid', message: expect.stringMatching(/^steps\/train\.ts:2:\d+: SyntaxError/) },
    ],
    [
      'imports what is not there',
      "import { x } from './missing.ts';\nexport const main = () => x;\n",
      { code: 'invalid', message: expect.stringContaining('steps/missing.ts') },
    ],
    [
      'ends the process',
      'export const main = () => {\n  process.exit(3);\n};\n',
      { code: 'invalid', message: 'steps/train.ts:2:11: process.exit(3) was called' },
    ],
    [
      'never settles',
      'export const main = () => new Promise(() => {});\n',
      { code: 'invalid', message: expect.stringContaining('main of steps/train.ts: it waits for something') },
    ],
    [
      'writes outside its directory',
      "import { writeFileSync } from 'node:fs';\nexport const main = () => writeFileSync('/tmp/millrace-outside', 'x');\n",
      { code: 'invalid', message: expect.stringMatching(/^steps\/train\.ts:2:\d+: .*restricted/) },
    ],
    [
      'starts a thread, which nothing would be forbidden to',
      "import { Worker } from 'node:worker_threads';\nexport const main = () => void new Worker('0', { eval: true });\n",
      { code: 'invalid', message: expect.stringMatching(/^steps\/train\.ts:2:\d+: .*restricted/) },
    ],
    [
      'starts a process',
      "import { spawnSync } from 'node:child_process';\nexport const main = () => spawnSync('ls');\n",
      { code: 'invalid', message: expect.stringMatching(/^steps\/train\.ts:2:\d+: .*restricted/) },
    ],
  ];
  for (const [name, source, error] of broken) {
    it(`that ${name} fails with an error that names file and line`, async () => {
      const { output } = await runUser(source);
      await expect(output).rejects.toMatchObject(error);
    });
  }

  it('that computes for ever is killed at its time limit', async () => {
    const { output } = await runUser('export const main = () => {\n  for (;;) Math.random();\n};\n', {
      timeoutMs: 1_000,
    });
    await expect(output).rejects.toMatchObject({
      code: 'timed_out',
      message: 'main of steps/train.ts did not end within 1 s',
    });
  });

  it('that fills the heap fails for want of memory', async () => {
    const source =
      'export const main = () => {\n  const all: number[][] = [];\n  for (;;) all.push(Array(1e5).fill(1.5));\n};\n';
    const { output } = await runUser(source, { memoryMb: 64 });
    await expect(output).rejects.toMatchObject({
      code: 'exhausted',
      message: expect.stringContaining('steps/train.ts'),
    });
  });

  it('that fills memory outside the heap fails for want of memory', async () => {
    const source =
      'export const main = () => {\n  const all: Buffer[] = [];\n  for (;;) all.push(Buffer.alloc(1e6, 1));\n};\n';
    const { output } = await runUser(source, { memoryMb: 128 });
    await expect(output).rejects.toMatchObject({ code: 'exhausted' });
  });

  it('that floods its output costs bounded lines and still answers', async () => {
    const source =
      'export const main = () => {\n  for (let i = 0; i < 50_000; i += 1) console.log("x".repeat(200), i);\n  return 7;\n};\n';
    const { output, lines } = await runUser(source);
    expect(await output).toBe(7);
    expect(lines.length).toBeLessThanOrEqual(10_001);
  });
});
