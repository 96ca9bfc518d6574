import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { FailedPrecondition, messageOf, Unavailable } from '@millrace/errors';
import { serverFileName } from './executable.ts';
import type { OnProgress } from './progress.ts';

const run = promisify(execFile);

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'arm7' };
const systems: Readonly<Record<string, string>> = { linux: 'linux', darwin: 'darwin', win32: 'windows' };

/** Where the project publishes its releases; a mirror with the same layout serves as well. */
export const officialReleases = 'https://github.com/nats-io/nats-server/releases/download';

/** Directory name in a release's archive, and the archive's name without its ending. */
const releaseName = (version: string): string => {
  const system = systems[process.platform];
  const architecture = architectures[process.arch];
  if (system === undefined || architecture === undefined) {
    throw new FailedPrecondition(`no nats-server release for ${process.platform} ${process.arch}`);
  }
  return `nats-server-v${version}-${system}-${architecture}`;
};

/**
 * Downloads a release into `directory`, compares it with the checksum that the same release publishes, and
 * unpacks it. Returns the path of the server. Throws `Unavailable` when the release cannot be reached and
 * `FailedPrecondition` when the checksum differs.
 */
export const downloadRelease = async (
  version: string,
  directory: string,
  releasesUrl: string,
  onProgress: OnProgress,
): Promise<string> => {
  const name = releaseName(version);
  const archive = `${name}.tar.gz`;
  const base = `${releasesUrl}/v${version}`;
  const expected = checksumFor(archive, await (await get(`${base}/SHA256SUMS`)).text());
  const path = join(directory, archive);
  await saveTo(path, await get(`${base}/${archive}`), archive, onProgress);

  onProgress({ phase: 'verifying', message: `comparing the checksum of ${archive}` });
  const actual = await sha256(path);
  if (actual !== expected) {
    throw new FailedPrecondition(
      `the checksum of ${archive} is ${actual}, but the release states ${expected}`,
      { hint: 'The download is damaged or was tampered with; nothing was installed.' },
    );
  }
  await run('tar', ['-xzf', path, '-C', directory]);
  return join(directory, name, serverFileName);
};

const checksumFor = (file: string, sums: string): string => {
  for (const line of sums.split('\n')) {
    const [digest, name] = line.trim().split(/\s+\*?/);
    if (name === file && digest !== undefined && /^[0-9a-f]{64}$/.test(digest)) return digest;
  }
  throw new FailedPrecondition(`the release has no checksum for ${file}`);
};

const get = async (url: string): Promise<Response> => {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(120_000) });
  } catch (thrown) {
    throw new Unavailable(`cannot reach ${url}: ${messageOf((thrown as Error).cause ?? thrown)}`, {
      cause: thrown,
    });
  }
  if (!response.ok) throw new Unavailable(`${url} answered ${response.status}`);
  return response;
};

const saveTo = async (path: string, response: Response, name: string, onProgress: OnProgress) => {
  if (response.body === null) throw new Unavailable(`empty answer for ${name}`);
  const length = Number(response.headers.get('content-length'));
  let receivedBytes = 0;
  const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      receivedBytes += chunk.length;
      onProgress({
        phase: 'downloading',
        message: `downloading ${name}`,
        receivedBytes,
        ...(length > 0 ? { totalBytes: length } : {}),
      });
      yield chunk;
    }
  };
  await pipeline(Readable.fromWeb(response.body), counted, createWriteStream(path));
};

const sha256 = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
};
