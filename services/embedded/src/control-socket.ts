import { chmod, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { asMillraceError, errorToJson, Invalid, messageOf } from '@millrace/errors';
import type { ControlAnswer } from '@millrace/installation';
import type { Logger } from '@millrace/telemetry';

export interface ControlSocket {
  stop(): Promise<void>;
}

/** Restarts services one after the other; tells of each when it is done. */
export type RestartServices = (
  names: readonly string[],
  onDone: (name: string, tookMs: number) => void,
) => Promise<void>;

/** Takes orders of the command line, from this machine's user alone. */
export const openControlSocket = async (
  path: string,
  restart: RestartServices,
  log: Logger,
): Promise<ControlSocket> => {
  await rm(path, { force: true });
  const server = createServer((socket) => void serve(socket, restart, log));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path, exclusive: true }, resolve);
  });
  await chmod(path, 0o600);
  return {
    stop: async () => {
      server.close();
      await rm(path, { force: true });
    },
  };
};

const serve = async (socket: Socket, restart: RestartServices, log: Logger): Promise<void> => {
  socket.on('error', () => {});
  const tell = (answer: ControlAnswer) => socket.write(`${JSON.stringify(answer)}\n`);
  try {
    for await (const line of createInterface({ input: socket })) {
      const { restart: names } = JSON.parse(line) as { readonly restart?: unknown };
      if (!Array.isArray(names)) throw Invalid.field('restart', 'must name services');
      await restart(names.map(String), (service, tookMs) => tell({ restarted: service, tookMs }));
      tell({ done: true });
      return;
    }
  } catch (thrown) {
    log.error({ problem: messageOf(thrown) }, 'services were not restarted');
    tell({ failed: errorToJson(asMillraceError(thrown)) });
  } finally {
    socket.end();
  }
};
