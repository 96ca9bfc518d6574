import { runPythonJob } from '../src/index.ts';
import { testEnvironment, testJobs } from './environment.ts';

/** A process that runs the job `spawns` and prints its pids. */
await runPythonJob({
  environment: await testEnvironment(),
  job: 'spawns',
  input: { spin: true },
  userRoot: process.argv[2] ?? '.',
  env: testJobs,
  onProgress: ({ message }) => console.log(message),
});
