/**
 * Ends the process group when the parent is gone. It runs in a thread of its own because a job that computes
 * without pause never gets to see that its channel closed. Plain JavaScript as `start.mjs` is.
 */
import { rmSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

/** @type {{ parent: number, group: number, directory: string }} */
const { parent, group, directory } = workerData;

const checkEveryMs = 250;

setInterval(() => {
  if (process.ppid === parent) return;
  // The parent would have removed it.
  rmSync(directory, { recursive: true, force: true });
  process.kill(-group, 'SIGKILL');
}, checkEveryMs);
