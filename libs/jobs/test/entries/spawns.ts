import { spawn } from 'node:child_process';
import type { JobContext } from '../../src/index.ts';

/** Starts a grandchild that sleeps, tells both pids, then computes for ever. */
export default async (_input: unknown, context: JobContext) => {
  const grandchild = spawn('sleep', ['600']);
  await context.ask({ child: process.pid, grandchild: grandchild.pid });
  for (;;) Math.random();
};
