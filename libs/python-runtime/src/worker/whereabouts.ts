import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** File that the worker writes its stacks to, in its own directory: `worker/guards.py`. */
const file = 'whereabouts.txt';
const patienceMs = 500;
const pollMs = 20;

/**
 * The place in the user's files where a worker is, `steps/train.py:12`: asks it by SIGUSR1 while it lives, else reads what
 * it left when it crashed. Undefined when it is nowhere in them, or does not tell.
 */
export const whereaboutsOf = async (
  child: ChildProcess,
  directory: string,
  userRoot: string,
): Promise<string | undefined> => {
  const path = join(directory, file);
  const lives = child.exitCode === null && child.signalCode === null;
  if (!lives || !child.kill('SIGUSR1')) return placeIn(await textOf(path), userRoot);
  const deadline = performance.now() + patienceMs;
  let before = '';
  // It is whole when it grows no more.
  for (let text = ''; performance.now() < deadline; text = await textOf(path)) {
    if (text !== '' && text === before) return placeIn(text, userRoot);
    before = text;
    await delay(pollMs);
  }
  return placeIn(before, userRoot);
};

const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

/** The first frame below the root in the form that Python's `faulthandler` writes, innermost first. */
const placeIn = (stacks: string, userRoot: string): string | undefined => {
  for (const [, path = '', line] of stacks.matchAll(/^ {2}File "(.+)", line (\d+) in /gm)) {
    const inside = relative(userRoot, path);
    if (!inside.startsWith('..') && !inside.includes('site-packages')) return `${inside}:${line}`;
  }
  return undefined;
};
