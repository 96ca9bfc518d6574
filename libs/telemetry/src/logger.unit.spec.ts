import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLogger, inSpan, runAsService, startTelemetry, type Telemetry } from './index.ts';

let directory: string;
let telemetry: Telemetry;
beforeEach(async () => {
  telemetry = startTelemetry({ defaultService: 'test', env: {} });
  directory = await mkdtemp(join(tmpdir(), 'millrace-log-'));
});
afterEach(async () => {
  await telemetry.shutdown();
  await rm(directory, { recursive: true, force: true });
});

describe('log lines', () => {
  it('are JSON with the service and the trace, and never show a secret', async () => {
    const file = join(directory, 'logs', 'millrace.log');
    const log = createLogger('info', file);
    await runAsService('ingest', () =>
      inSpan('asking', {}, async () =>
        log.info({ token: 'abc', request: { password: 'def', path: '/x' } }, 'asked'),
      ),
    );
    log.debug('too quiet');
    const text = await vi.waitFor(
      async () => {
        const written = await readFile(file, 'utf8');
        expect(written).toContain('\n');
        return written;
      },
      { timeout: 60_000 },
    );
    expect(JSON.parse(text)).toMatchObject({
      level: 'info',
      service: 'ingest',
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      msg: 'asked',
      token: '[redacted]',
      request: { password: '[redacted]', path: '/x' },
    });
    expect(text).not.toMatch(/"(abc|def)"/);
  });

  it.skipIf(process.platform !== 'linux')('that find no space end nothing and throw nothing', () => {
    const log = createLogger('info', '/dev/full');
    for (let line = 0; line < 10; line += 1) expect(() => log.info('lost')).not.toThrow();
  });
});
