import type { JobContext } from '../../src/index.ts';

/** Answers its input; asks and reports on the way. */
export default async (input: unknown, context: JobContext) => {
  context.progress(0.5, 'half');
  console.log('line one');
  console.error('line two');
  const answer = await context.ask('continue?');
  return context.span('echo', async () => ({
    input,
    answer,
    pid: process.pid,
    cwd: process.cwd(),
    env: { ...process.env },
  }));
};
