import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands between a client and a server, and loses answers. */
export interface CuttingProxy {
  readonly port: number;
  /** How many connections were cut. */
  readonly cuts: () => number;
  close(): void;
}

/**
 * Passes everything on, but asks before each piece of an answer whether to lose it: then the server has done
 * what it was asked for, and the client's connection ends without an answer.
 */
export const startCuttingProxy = async (serverPort: number, loses: () => boolean): Promise<CuttingProxy> => {
  const sockets = new Set<Socket>();
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (piece) => upstream.write(piece));
    upstream.on('data', (piece) => {
      if (!loses()) {
        client.write(piece);
        return;
      }
      cuts += 1;
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    cuts: () => cuts,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
};
