import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceModule } from '@millrace/service-kit';
import { expect, it, onTestFinished } from 'vitest';
import { startEmbedded } from '../src/embedded.ts';

it('a service that starts after another has failed is stopped too', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-failed-start-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const happened: string[] = [];
  const fails: ServiceModule = {
    name: 'ingest',
    setup: async () => {
      throw new Error('no such disk');
    },
  };
  const isSlow: ServiceModule = {
    name: 'training',
    setup: async () => {
      // Longer than the other takes to fail and to be cleaned up after.
      await delay(1_000);
      happened.push('set up');
      return { stop: async () => void happened.push('stopped') };
    },
  };
  const env = {
    MILLRACE_DATA_DIR: dataDir,
    MILLRACE_PORT: '0',
    MILLRACE_LOG_LEVEL: 'silent',
    PATH: process.env.PATH,
  };
  await expect(startEmbedded([fails, isSlow], env, () => {})).rejects.toThrow('no such disk');
  expect(happened).toEqual(['set up', 'stopped']);
});
