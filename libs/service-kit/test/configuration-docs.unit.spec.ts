import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSettings, serviceNames } from '../src/index.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const docs = readFileSync(join(root, 'docs', 'configuration.md'), 'utf8');
const rows = new Map(
  [...docs.matchAll(/^\| `([A-Z_]+)` \| (.*?) \|/gm)].map((match) => [match[1], match[2]]),
);

/** Variables that the sources name, with a file that does. */
const namedInSources = (): ReadonlyMap<string, string> => {
  const files = globSync('{libs,services}/*/{src,bin}/**/*.{ts,mjs}', { cwd: root });
  return new Map(
    files
      .filter((file) => !file.endsWith('.spec.ts') && !file.includes('generated'))
      .flatMap((file) => {
        const text = readFileSync(join(root, file), 'utf8');
        return [...text.matchAll(/\b(?:(?:MILLRACE|OTEL|XDG|NATS)_[A-Z_]*[A-Z])\b/g)].map(
          ([name]) => [name, file] as const,
        );
      }),
  );
};

/** Documented once for all services, as `MILLRACE_<SERVICE>_GRPC`. */
const isAddress = (name: string): boolean =>
  serviceNames.some((service) => name.startsWith(`MILLRACE_${service.toUpperCase()}_`)) &&
  /_(GRPC|HTTP)$/.test(name);

describe('docs/configuration.md', () => {
  const named = [...namedInSources()].filter(([name]) => !isAddress(name));

  it.each(named)('has %s, which %s reads', (name) => {
    expect(rows.has(name), `add ${name} to docs/configuration.md`).toBe(true);
  });

  it('has nothing that no source names', () => {
    const known = new Set(named.map(([name]) => name));
    expect([...rows.keys()].filter((name) => !known.has(name ?? ''))).toEqual([]);
  });

  it('has the defaults of every service', () => {
    for (const name of serviceNames) {
      const { grpcPort, httpPort } = readSettings(name, {});
      expect(docs).toContain(`| ${name} | ${grpcPort} | ${httpPort} |`);
    }
    const { natsUrl, dataDir, host, logLevel, stepLeaseMs } = readSettings('ingest', {});
    const given = {
      NATS_URL: natsUrl,
      MILLRACE_DATA_DIR: dataDir,
      MILLRACE_HOST: host,
      MILLRACE_LOG_LEVEL: logLevel,
    };
    for (const [name, value] of Object.entries({ ...given, MILLRACE_STEP_LEASE_MS: stepLeaseMs })) {
      expect(rows.get(name)).toBe(`\`${value}\``);
    }
  });
});
