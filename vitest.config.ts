import { defineConfig } from 'vitest/config';

const levels = ['unit', 'int', 'system'] as const;

/**
 * The suffix of a spec tells its cost: `unit` touches nothing outside its process, `int` talks to a real
 * broker, store or child process, `system` runs several services together.
 */
export default defineConfig({
  test: {
    projects: levels.map((level) => ({
      test: {
        name: level,
        include: [`**/*.${level}.spec.ts`],
        exclude: ['**/node_modules/**'],
        pool: 'forks',
        execArgv: ['--disable-warning=ExperimentalWarning'],
        // So long that only what hangs exceeds it, also on a machine with ten times as much to do as it can.
        testTimeout: level === 'unit' ? 60_000 : 240_000,
        hookTimeout: level === 'unit' ? 60_000 : 240_000,
      },
    })),
    maxWorkers: 2,
  },
});
