/**
 * Ends children whose parent is gone: the end of its input says so, however the parent ended. Lines are
 * `{"watch": pid, "directory": …}` and `{"forget": pid}`. A process of its own, because a child that computes without pause
 * would not see that its parent is gone, and plain JavaScript as `start.mjs` is.
 */
import { readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** @type {Map<number, { directory: string, startedAt: string | undefined }>} */
const watched = new Map();

/**
 * When the process started, by which it differs from a later one with its pid (proc(5)); nothing where that cannot be told.
 * @param {number} pid
 */
const startOf = (pid) => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
};

/** @param {number} pid */
const killGroup = (pid) => {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: it is gone already.
  }
};

for await (const line of createInterface({ input: process.stdin })) {
  const { watch, forget, directory } = JSON.parse(line);
  if (watch !== undefined) watched.set(watch, { directory, startedAt: startOf(watch) });
  else watched.delete(forget);
}
for (const [pid, { directory, startedAt }] of watched) {
  if (startOf(pid) === startedAt) killGroup(pid);
  rmSync(directory, { recursive: true, force: true });
}
