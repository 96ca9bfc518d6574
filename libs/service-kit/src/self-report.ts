import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, readFile, statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { BlobStore } from '@millrace/blobs';
import type { TlsFiles } from '@millrace/certificates';
import { messageOf } from '@millrace/errors';
import type { CertificateReport, DiskReport, ServiceReport } from '@millrace/installation';
import type { Runtime } from './service.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

/** What is put and read back to see that blobs can be kept: always the same, so that it is one blob for ever. */
const probe = new TextEncoder().encode('millrace: blobs can be written\n');

export type ReportParts = Pick<Runtime, 'settings' | 'env' | 'store' | 'blobs' | 'now'>;

/** Looks at what the service of this process stands on. Throws nothing of what it finds. */
export const selfReport = async (
  { settings, env, store, blobs, now }: ReportParts,
  problems: Readonly<Record<string, string>>,
): Promise<ServiceReport> => {
  const tracesTo = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || env.OTEL_EXPORTER_OTLP_ENDPOINT || undefined;
  const [unsent, blobProblem, disk, files, certificates] = await Promise.all([
    store.outbox.stats().then(
      (stats) => ({
        unsent: stats.pending,
        ...(stats.oldestPendingTime === undefined ? {} : { oldestUnsent: stats.oldestPendingTime }),
      }),
      (thrown: unknown) => ({ problem: messageOf(thrown) }),
    ),
    probeBlobs(blobs),
    diskOf(settings.dataDir),
    openFiles(),
    certificatesOf(settings.tls),
  ]);
  return {
    service: settings.service,
    version,
    node: process.versions.node,
    pid: process.pid,
    host: hostname(),
    time: new Date(now()).toISOString(),
    uptimeMs: Math.round(process.uptime() * 1_000),
    problems,
    store: { kind: settings.storeUrl.startsWith('sqlite:') ? 'sqlite' : 'mongodb', ...unsent },
    blobs: {
      kind: settings.blobsUrl.startsWith('s3:') ? 's3' : 'directory',
      ...(blobProblem === undefined ? {} : { problem: blobProblem }),
    },
    ...(disk === undefined ? {} : { disk }),
    ...(files === undefined ? {} : { files }),
    certificates,
    ...(tracesTo === undefined ? {} : { tracesTo }),
  };
};

const probeBlobs = async (blobs: BlobStore): Promise<string | undefined> => {
  try {
    const { digest } = await blobs.put(probe);
    await blobs.read(digest, probe.length);
    return undefined;
  } catch (thrown) {
    return messageOf(thrown);
  }
};

/** Space and inodes for a path; `undefined` when it is not there. */
export const diskOf = async (path: string): Promise<DiskReport | undefined> => {
  try {
    const { bavail, blocks, bsize, ffree, files } = await statfs(path);
    return { path, free: bavail * bsize, total: blocks * bsize, freeInodes: ffree, totalInodes: files };
  } catch {
    return undefined;
  }
};

/** Open files of this process and how many it may have; `undefined` where the system does not tell. */
export const openFiles = async (): Promise<ServiceReport['files']> => {
  try {
    const [, limit] =
      /^Max open files\s+(\d+|unlimited)/m.exec(await readFile('/proc/self/limits', 'utf8')) ?? [];
    const open = (await readdir('/proc/self/fd')).length;
    return {
      open,
      limit: limit === undefined || limit === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(limit),
    };
  } catch {
    return undefined;
  }
};

/** When the certificates of some files end. What cannot be read is left out. */
export const certificatesOf = async (tls: TlsFiles | undefined): Promise<readonly CertificateReport[]> => {
  if (tls === undefined) return [];
  const found: CertificateReport[] = [];
  for (const file of [tls.certificate, tls.ca]) {
    if (file === undefined) continue;
    const text = await readFile(file, 'utf8').catch(() => '');
    for (const [pem] of text.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)) {
      found.push({ file, notAfter: new Date(new X509Certificate(pem).validTo).toISOString() });
    }
  }
  return found;
};
