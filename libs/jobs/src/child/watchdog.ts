import { rmSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

/**
 * Ends the process group when the parent is gone. It runs in a thread of its own because a job that computes
 * without pause never gets to see that its channel closed.
 */
const { parent, group, directory } = workerData as { parent: number; group: number; directory: string };

const checkEveryMs = 250;

setInterval(() => {
  if (process.ppid === parent) return;
  // The parent would have removed it.
  rmSync(directory, { recursive: true, force: true });
  process.kill(-group, 'SIGKILL');
}, checkEveryMs);
