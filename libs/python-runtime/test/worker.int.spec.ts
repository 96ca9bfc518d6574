import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { ChildSpan, JobProgress, OutputLine } from '@millrace/jobs';
import { inSpan, startTelemetry } from '@millrace/telemetry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  arrowToTable,
  type PythonEnvironment,
  type PythonJobOptions,
  PythonProcess,
  runPythonJob,
  tableToArrow,
} from '../src/index.ts';
import { buildTimeoutMs, gone, projectOf, removeProject, testEnvironment, testJobs } from './environment.ts';

let environment: PythonEnvironment;
const roots: string[] = [];

beforeAll(async () => {
  environment = await testEnvironment();
}, buildTimeoutMs);
afterAll(() => Promise.all(roots.map(removeProject)));

const project = async (files: Record<string, string>): Promise<string> => {
  const root = await projectOf(files);
  roots.push(root);
  return root;
};

type Options = Partial<PythonJobOptions> & { files?: Record<string, string> };

const run = async <Output>(job: string, { files = {}, ...options }: Options = {}): Promise<Output> =>
  runPythonJob<Output>({
    environment,
    job,
    input: null,
    userRoot: await project(files),
    env: testJobs,
    ...options,
  });

/** The error of calling `steps/train.py:fn`. */
const failure = async (source: string, options: Options = {}): Promise<Record<string, unknown>> => {
  const result = run('call', {
    files: { 'steps/train.py': source, 'steps/helper.py': 'def broken():\n    return {}["key"]\n' },
    input: { module: 'steps.train', function: 'fn' },
    ...options,
  });
  return result.then(
    (output) => {
      throw new Error(`it answered ${JSON.stringify(output)}`);
    },
    (error) => error,
  );
};

interface Echo {
  input: unknown;
  pid: number;
  cwd: string;
  env: Record<string, string>;
  modules: string[];
  nan: null;
  warnings: string[];
}

describe('a job', () => {
  it('answers, and its progress, output and warnings reach the parent', async () => {
    const progress: JobProgress[] = [];
    const lines: OutputLine[] = [];
    const output = await run<Echo>('echo', {
      input: { text: 'ü', list: [1, 2.5, null] },
      onProgress: (value) => progress.push(value),
      onLog: (line) => lines.push(line),
    });
    expect(output.input).toEqual({ text: 'ü', list: [1, 2.5, null] });
    expect(output.nan).toBeNull();
    expect(output.warnings).toEqual(['own', 'look out']);
    expect(progress).toEqual([{ fraction: 0.5, message: 'half' }]);
    expect(lines).toContainEqual({ stream: 'stdout', text: 'line one' });
    expect(lines).toContainEqual({ stream: 'stderr', text: 'line two' });
  });

  it('sees none of the parent’s environment but what is allowed, and a home of its own that goes', async () => {
    process.env.SECRET_TOKEN = 'x';
    const { env, pid, cwd } = await run<Echo>('echo', { env: { ...testJobs, ADDED: '1' } });
    delete process.env.SECRET_TOKEN;
    expect(env.SECRET_TOKEN).toBeUndefined();
    expect(env).toMatchObject({ ADDED: '1', HOME: env.TMPDIR, PYTHONHASHSEED: '0' });
    expect(cwd).toBe(roots.at(-1));
    await expect(readdir(env.HOME ?? '')).rejects.toThrow('ENOENT');
    await gone([pid]);
  });

  it('starts without loading the libraries that only some jobs need', async () => {
    const { modules } = await run<Echo>('echo');
    for (const heavy of ['pandas', 'numpy', 'pyarrow', 'sklearn', 'opentelemetry']) {
      expect(modules).not.toContain(heavy);
    }
  });

  it('adds its spans to the trace of the span that it was started in', async () => {
    const telemetry = startTelemetry({ defaultService: 'python', env: {} });
    const spans: ChildSpan[] = [];
    const { context, output } = await inSpan('parent', {}, async (span) => ({
      output: await run<Echo>('echo', { onSpans: (finished) => spans.push(...finished) }),
      context: span.spanContext(),
    }));
    await telemetry.shutdown();
    const { traceId } = context;
    expect(spans).toMatchObject([
      { name: 'inner', traceId, parentSpanId: spans[1]?.spanId, attributes: {} },
      { name: 'outer', traceId, parentSpanId: context.spanId, attributes: { rows: 3 } },
    ]);
    expect(output.env.TRACEPARENT).toBe(`00-${traceId}-${context.spanId}-01`);
  });

  it('adds the spans of the user’s own OpenTelemetry too', async () => {
    const source = `
from opentelemetry import trace

def fn():
    with trace.get_tracer("mine").start_as_current_span("fit", attributes={"depth": 3}):
        with trace.get_tracer("mine").start_as_current_span("tree") as span:
            span.set_status(trace.StatusCode.ERROR, "no split")
`;
    const telemetry = startTelemetry({ defaultService: 'python', env: {} });
    const spans: ChildSpan[] = [];
    const context = await inSpan('parent', {}, async (span) => {
      await run('call', {
        files: { 'steps/train.py': source },
        input: { module: 'steps.train', function: 'fn' },
        onSpans: (finished) => spans.push(...finished),
      });
      return span.spanContext();
    });
    await telemetry.shutdown();
    const { traceId } = context;
    expect(spans).toMatchObject([
      { name: 'tree', traceId, parentSpanId: spans[1]?.spanId, error: 'no split' },
      { name: 'fit', traceId, parentSpanId: context.spanId, attributes: { depth: 3 } },
    ]);
    expect(spans[1]?.end).toBeGreaterThanOrEqual(spans[1]?.start ?? Number.POSITIVE_INFINITY);
  });

  it('leaves a tracer provider of the user’s in its place, and takes its spans too', async () => {
    const source = `
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

ended = []
class Own(SpanProcessor):
    def on_end(self, span):
        ended.append(span.name)

def fn():
    provider = TracerProvider()
    provider.add_span_processor(Own())
    trace.set_tracer_provider(provider)
    with trace.get_tracer("mine").start_as_current_span("fit"):
        pass
    return ended
`;
    const telemetry = startTelemetry({ defaultService: 'python', env: {} });
    const spans: ChildSpan[] = [];
    const output = await inSpan('parent', {}, () =>
      run('call', {
        files: { 'steps/train.py': source },
        input: { module: 'steps.train', function: 'fn' },
        onSpans: (finished) => spans.push(...finished),
      }),
    );
    await telemetry.shutdown();
    expect(output).toEqual({ result: ['fit'] });
    expect(spans.map(({ name }) => name)).toEqual(['fit']);
  });

  it('leaves no compiled modules among the user’s files', async () => {
    await run('call', {
      files: { 'steps/train.py': 'def fn():\n    return 1\n' },
      input: { module: 'steps.train', function: 'fn' },
    });
    expect(await readdir(`${roots.at(-1)}/steps`)).toEqual(['train.py']);
  });

  it('does not let the user’s files stand in for the standard library', async () => {
    const files = {
      'json.py': 'raise RuntimeError("taken")',
      'steps/train.py': 'import json\ndef fn():\n    return json.dumps(1)\n',
    };
    const input = { module: 'steps.train', function: 'fn' };
    expect(await run('call', { files, input })).toEqual({ result: '1' });
  });

  it('that is unknown is a defect of ours', async () => {
    await expect(run('absent')).rejects.toMatchObject({ code: 'internal' });
  });
});

describe('user code', () => {
  it('that raises fails with file, line, and the frames that are the user’s', async () => {
    const error = await failure('from steps.helper import broken\n\ndef fn():\n    return broken()\n');
    expect(error).toMatchObject({
      code: 'invalid',
      message: "steps/helper.py:2: KeyError: 'key'",
      hint: 'Fix the step function; it was running fit of steps.train.',
      violations: [{ path: 'steps/helper.py:2', message: "KeyError: 'key'" }],
    });
    expect((error.details as { stack: string }).stack.split('\n')).toEqual([
      'steps/train.py:4 in fn: return broken()',
      'steps/helper.py:2 in broken: return {}["key"]',
    ]);
  });

  it('that raises because of another exception tells both', async () => {
    const source = `
def fn():
    try:
        int("x")
    except ValueError as error:
        raise RuntimeError("no number") from error
`;
    const { message, details } = await failure(source);
    expect(message).toBe('steps/train.py:6: RuntimeError: no number');
    expect((details as { stack: string }).stack).toContain(
      "caused by ValueError: invalid literal for int() with base 10: 'x'\nsteps/train.py:4 in fn",
    );
  });

  it('whose library raises is named where it called it', async () => {
    const source = 'import pandas\n\ndef fn():\n    return pandas.DataFrame({"a": [1]})["b"]\n';
    expect((await failure(source)).message).toBe("steps/train.py:4: KeyError: 'b'");
  });

  it.each([
    ['a syntax error', 'x = 1\ndef fn(:\n', 'steps/train.py:2: SyntaxError: invalid syntax'],
    ['sys.exit', 'import sys\ndef fn():\n    sys.exit(3)\n', 'steps/train.py:3: sys.exit(3) was called'],
    ['os._exit', 'import os\ndef fn():\n    os._exit(4)\n', 'steps/train.py:3: os._exit(4) was called'],
    [
      'a crash',
      'import ctypes\ndef fn():\n    ctypes.string_at(0)\n',
      'steps/train.py:3: the process of fit of steps.train was killed by SIGSEGV without a result',
    ],
    [
      'no such function',
      'def other():\n    pass\n',
      'steps.train.estimator_method: steps/train.py: module has no function `fn`',
    ],
    [
      'another thing of that name',
      'fn = 3\n',
      'steps.train.estimator_method: steps/train.py: module has `fn`, which is no function',
    ],
  ])('with %s fails with an error that names the place', async (_what, source, message) => {
    expect(await failure(source)).toMatchObject({ code: 'invalid', message });
  });

  it('that imports what is not installed is told what to add', async () => {
    expect(await failure('import cv2\n')).toMatchObject({
      code: 'invalid',
      message: "steps/train.py:1: ModuleNotFoundError: No module named 'cv2'",
      hint: 'Add `opencv-python-headless` to requirements.txt.',
    });
  });

  it('that uses what newer libraries took away is told what to write', async () => {
    const source = `
def fn():
    import pandas
    return pandas.DataFrame({"a": [1]}).append({"a": 2}, ignore_index=True)
`;
    expect(await failure(source)).toMatchObject({ hint: expect.stringContaining('pandas.concat') });
  });

  it('that hangs is killed at its time, and the error says where it was', async () => {
    const source = 'import time\ndef fn():\n    time.sleep(600)\n';
    expect(await failure(source, { timeoutMs: 3_000 })).toMatchObject({
      code: 'timed_out',
      message: 'steps/train.py:3: fit of steps.train did not end within 3 s',
    });
  });

  it('that fills memory is killed, and the error says where it was', async () => {
    const source = 'def fn():\n    held = []\n    while True:\n        held.append(b"x" * 10_000_000)\n';
    const error = await failure(source, { memoryMb: 300 });
    expect(error).toMatchObject({ code: 'exhausted', details: { memoryMb: '300' } });
    expect(error.message).toMatch(
      /^steps\/train\.py:[34]: fit of steps\.train needed more than 300 MB of memory$/,
    );
  });

  it('whose processes fill memory together is killed', async () => {
    const source = `
import subprocess, sys
def fn():
    code = "held = b'x' * 200_000_000; import time; time.sleep(600)"
    for child in [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]:
        child.wait()
`;
    expect(await failure(source, { memoryMb: 400 })).toMatchObject({ code: 'exhausted' });
  });

  it('that runs out of what the system gives is out of memory too', async () => {
    const source = 'def fn():\n    raise MemoryError()\n';
    expect(await failure(source)).toMatchObject({
      code: 'exhausted',
      message: 'steps/train.py:2: fit of steps.train needed more memory than there is',
    });
  });

  it('that floods its output costs bounded lines and still answers', async () => {
    const lines: OutputLine[] = [];
    const source = 'def fn():\n    for number in range(20_000):\n        print(number)\n    return 7\n';
    const output = await run('call', {
      files: { 'steps/train.py': source },
      input: { module: 'steps.train', function: 'fn' },
      onLog: (line) => lines.push(line),
    });
    expect(output).toEqual({ result: 7 });
    expect(lines).toHaveLength(10_001);
    expect(lines.at(-1)?.text).toBe('more than 10000 lines: the rest is dropped');
  });

  it('may fork: processes that end on their own are no end of the job', async () => {
    const source = `
import os
def fn():
    pid = os.fork()
    if pid == 0:
        os._exit(5)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
`;
    const output = await run('call', {
      files: { 'steps/train.py': source },
      input: { module: 'steps.train', function: 'fn' },
    });
    expect(output).toEqual({ result: 5 });
  });
});

describe('the end of a job', () => {
  const pidsOf = ({ message }: JobProgress) => message.split(' ').map(Number);

  it('by cancelling takes everything it started with it', async () => {
    const abort = new AbortController();
    let pids: number[] = [];
    const job = run('spawns', {
      input: { spin: true },
      signal: abort.signal,
      onProgress: (progress) => {
        pids = pidsOf(progress);
        abort.abort();
      },
    });
    await expect(job).rejects.toMatchObject({ code: 'cancelled' });
    expect(pids).toHaveLength(2);
    await gone(pids);
  });

  it('that is good leaves nothing that it started', async () => {
    let pids: number[] = [];
    await run('spawns', {
      input: { spin: false },
      onProgress: (progress) => {
        pids = pidsOf(progress);
      },
    });
    expect(pids).toHaveLength(2);
    await gone(pids);
  });

  it('that is good comes after what the user’s code registered for it', async () => {
    const lines: OutputLine[] = [];
    const source = 'import atexit\ndef fn():\n    atexit.register(print, "good bye")\n';
    const input = { module: 'steps.train', function: 'fn' };
    await run('call', { files: { 'steps/train.py': source }, input, onLog: (line) => lines.push(line) });
    expect(lines).toEqual([{ stream: 'stdout', text: 'good bye' }]);
  });

  it.each([
    ['good', '', 'fulfilled'],
    ['by its own kill', 'os.kill(os.getpid(), 9)', 'rejected'],
  ])('that is %s leaves nothing of joblib in shared memory', async (_how, last, status) => {
    const source = `
import os
from joblib import Parallel, delayed

def square(number):
    return number * number

def fn():
    squares = Parallel(n_jobs=2)(delayed(square)(number) for number in range(4))
    print(os.getpid())
    ${last}
    return squares
`;
    const lines: string[] = [];
    const input = { module: 'steps.train', function: 'fn' };
    const [settled] = await Promise.allSettled([
      run('call', { files: { 'steps/train.py': source }, input, onLog: ({ text }) => lines.push(text) }),
    ]);
    expect(settled.status).toBe(status);
    const [pid] = lines;
    const left = await readdir('/dev/shm').catch(() => [] as string[]);
    expect(pid).toMatch(/^\d+$/);
    expect(left.filter((name) => name.includes(`-${pid}-`) || name.includes(`_${pid}_`))).toEqual([]);
  });

  it('by somebody else’s kill is something that may work another time', async () => {
    const job = run('spawns', {
      input: { spin: true },
      onProgress: (progress) => process.kill(pidsOf(progress)[0] ?? 0, 'SIGKILL'),
    });
    await expect(job).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('comes with the death of its parent, also while it computes without pause', async () => {
    const script = fileURLToPath(new URL('parent.ts', import.meta.url));
    const parent = spawn(process.execPath, [script, await project({})], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pids = line.toString().split(' ').map(Number);
    parent.kill('SIGKILL');
    await gone(pids);
  });

  it('is at once when it was cancelled before it began', async () => {
    await expect(run('echo', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('comes at the start when there is no such Python', async () => {
    const absent = { ...environment, python: '/nowhere/bin/python' };
    await expect(run('echo', { environment: absent })).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('a kept process', () => {
  it('does its calls in turn, carries tables both ways, and outlives what one of them raises', async () => {
    const userRoot = await project({ 'steps/train.py': 'def fn():\n    raise ValueError("no")\n' });
    const worker = await PythonProcess.start({ environment, userRoot, env: testJobs });
    const table = {
      rowCount: 3,
      columns: [
        { name: 'x', type: 'number', values: [1.5, null, -0.25] },
        { name: 'n', type: 'integer', values: [1, 2, 2 ** 53 - 1] },
        { name: 'at', type: 'timestamp', values: [0, null, 1_700_000_000_123] },
        { name: 'ok', type: 'boolean', values: [true, false, true] },
        { name: 'text', type: 'string', values: ['a', null, 'ü'] },
      ],
    } as const;
    const [first, second, failed] = await Promise.allSettled([
      worker.call<Echo>('echo', 1),
      worker.call<{ dtypes: unknown; rows: number }>('table', null, { table: tableToArrow(table) }),
      worker.call('call', { module: 'steps.train', function: 'fn' }),
    ]);
    expect(first).toMatchObject({ status: 'fulfilled', value: { output: { input: 1 } } });
    expect(second).toMatchObject({
      status: 'fulfilled',
      value: {
        output: {
          rows: 3,
          dtypes: { x: 'float64', n: 'int64', at: 'datetime64[ms, UTC]', ok: 'bool', text: 'object' },
        },
      },
    });
    const answered = (second as PromiseFulfilledResult<{ table: Uint8Array }>).value.table;
    expect(arrowToTable(answered)).toEqual(table);
    expect(failed).toMatchObject({
      status: 'rejected',
      reason: { message: 'steps/train.py:2: ValueError: no' },
    });

    expect(worker.alive).toBe(true);
    const { output } = await worker.call<Echo>('echo', 2);
    expect(output.pid).toBe((first as PromiseFulfilledResult<{ output: Echo }>).value.output.pid);
    await worker.kill();
    expect(worker.alive).toBe(false);
    await expect(worker.call('echo', 3)).rejects.toMatchObject({ code: 'unavailable' });
    await gone([output.pid]);
  });

  it('ends when a call passes its time', async () => {
    const worker = await PythonProcess.start({ environment, userRoot: await project({}), env: testJobs });
    await expect(worker.call('spawns', { spin: true }, { timeoutMs: 1_000 })).rejects.toMatchObject({
      code: 'timed_out',
    });
    await worker.kill();
    expect(worker.alive).toBe(false);
  });
});
