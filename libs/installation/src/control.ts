import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

/** What the supervisor of the separate mode answers, one JSON document a line. */
export type ControlAnswer =
  | { readonly restarted: string; readonly tookMs: number }
  | { readonly done: true }
  | { readonly failed: { readonly code: string; readonly message: string; readonly hint?: string } };

/** Longest path that a socket may have on every system. */
const maxSocketPath = 100;

/** Where the supervisor of a data directory takes orders. */
export const controlSocketOf = (dataDir: string): string => {
  const path = join(resolve(dataDir), 'control.sock');
  if (path.length <= maxSocketPath) return path;
  const name = createHash('sha256').update(path).digest('hex').slice(0, 16);
  return join(tmpdir(), `millrace-${name}.sock`);
};

/** Has a supervisor restart services one after the other; yields its answers until it is done. */
export const orderRestart = async function* (
  dataDir: string,
  services: readonly string[],
): AsyncGenerator<ControlAnswer> {
  const socket = connect({ path: controlSocketOf(dataDir) });
  try {
    await new Promise<void>((resolveOpen, reject) => {
      socket.once('connect', () => resolveOpen());
      socket.once('error', reject);
    });
    socket.write(`${JSON.stringify({ restart: services })}\n`);
    for await (const line of createInterface({ input: socket })) yield JSON.parse(line) as ControlAnswer;
  } finally {
    socket.destroy();
  }
};
