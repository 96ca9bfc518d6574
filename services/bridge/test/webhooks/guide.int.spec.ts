import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findFreePorts } from '@millrace/broker';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { BridgeLab } from './bridge-lab.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../../..');
const guide = readFileSync(join(root, 'docs/guides/events-for-other-systems.md'), 'utf8');

/** The first block of the guide in a language. */
const snippet = (language: string): string => {
  const found = new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 's').exec(guide)?.[1];
  if (found === undefined) throw new Error(`the guide has no ${language}`);
  return found;
};

let lab: BridgeLab;
let folder: string;
beforeAll(async () => {
  lab = await BridgeLab.start({
    MILLRACE_WEBHOOK_RETRIES: Array<string>(30).fill('5s').fill('200ms', 0, 20).join(','),
  });
  await lab.open();
  // Below the repository, where the packages that it imports are found.
  await mkdir(join(root, 'node_modules/.cache'), { recursive: true });
  folder = await mkdtemp(join(root, 'node_modules/.cache/guide-'));
});
afterAll(async () => {
  await lab?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

/** Folder of the Python packages that the guide names; fetched once. */
const pythonPackages = async (): Promise<string> => {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'millrace', 'python-packages');
  const wanted = ['cloudevents==2.2.0', 'standardwebhooks==1.1.0'];
  const target = join(cache, wanted.join('+'));
  if (existsSync(target)) return target;
  await mkdir(cache, { recursive: true });
  const draft = await mkdtemp(`${target}-`);
  const packages = join(draft, 'packages');
  await run('python3', ['-m', 'venv', join(draft, 'venv')]);
  await run(join(draft, 'venv/bin/pip'), ['install', '-q', '--target', packages, ...wanted]);
  // Another process that was faster fetched the same.
  await rename(packages, target).catch(() => {});
  await rm(draft, { recursive: true, force: true });
  return target;
};

/** Starts a receiver and waits until it prints the event that it is sent. */
const expectReceived = async (start: (env: NodeJS.ProcessEnv) => ChildProcess): Promise<void> => {
  const [port] = await findFreePorts('127.0.0.1', 1);
  const { secret } = await lab.create(`http://127.0.0.1:${port}/millrace`);
  const child = start({ ...process.env, PORT: String(port), WEBHOOK_SECRET: secret });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      out += chunk;
    });
  }
  try {
    const id = await lab.publish('guide');
    const expected = `${id} millrace.registry.policy.changed.v1 guide`;
    await vi.waitFor(() => expect(out).toContain(expected), { timeout: 90_000, interval: 50 });
  } finally {
    child.kill('SIGKILL');
  }
};

test('the receiver of the guide in Node verifies and parses what comes', async () => {
  const file = join(folder, 'receiver.mjs');
  await writeFile(file, snippet('js'));
  await expectReceived((env) => spawn(process.execPath, [file], { env }));
});

test('the receiver of the guide in Python does too', async () => {
  const packages = await pythonPackages();
  const file = join(folder, 'receiver.py');
  await writeFile(file, snippet('python'));
  await expectReceived((env) => spawn('python3', [file], { env: { ...env, PYTHONPATH: packages } }));
}, 240_000);
