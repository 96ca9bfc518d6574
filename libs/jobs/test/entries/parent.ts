import { runJob } from '../../src/index.ts';

/** A process that runs the job of `spawns.ts` and prints its pids. */
await runJob({
  entry: new URL('./spawns.ts', import.meta.url),
  input: null,
  onQuestion: (pids) => console.log(JSON.stringify(pids)),
});
