import { Server as NetServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { LocalListener } from './local-listener.ts';
import { whenClosed } from './when-closed.ts';

/** Milliseconds in which whoever holds an idle connection learns, with its next answer, that it is to open another. */
const idleGraceMs = 2_000;
/** Milliseconds that an answer may take; what takes longer is cut. */
const answerGraceMs = 10_000;
const lookMs = 20;

/** A stream of events has no end: its client goes on elsewhere, from the last one that it has. */
const isEndless = ({ raw }: FastifyReply): boolean =>
  String(raw.getHeader('content-type') ?? '').startsWith('text/event-stream');

/** Below the framework: another listener of the process may be the one that answers. */
const callLast = ({ raw }: FastifyReply): void => {
  if (!raw.headersSent) raw.setHeader('connection', 'close');
};

/**
 * Returns how to end a listener without failing a call. It takes no more connections; answers what is asked on those
 * there are, telling with each answer that it is the last one; and is done when all are gone, or only idle ones and
 * streams of events are left. What was handed over by another listener of the process is that one's to bring to its end.
 */
export const drainable = (app: FastifyInstance, local: LocalListener): (() => Promise<void>) => {
  const open = new Set<FastifyReply>();
  let draining = false;
  app.addHook('onRequest', (request, reply, done) => {
    if (local.has(request.raw)) return done();
    open.add(reply);
    whenClosed(reply.raw, () => open.delete(reply));
    if (draining) callLast(reply);
    done();
  });
  return async () => {
    draining = true;
    for (const reply of open) callLast(reply);
    // An HTTP server's own `close` also ends idle connections, on which a request may be under way.
    NetServer.prototype.close.call(app.server);
    const begun = performance.now();
    for (;;) {
      const elapsed = performance.now() - begun;
      const busy = [...open].some((reply) => !isEndless(reply));
      if ((await connectionsOf(app)) === 0 || elapsed > answerGraceMs) return;
      if (!busy && elapsed > idleGraceMs) return;
      await delay(lookMs);
    }
  };
};

const connectionsOf = (app: FastifyInstance): Promise<number> =>
  new Promise((resolve) => app.server.getConnections((error, count) => resolve(error === null ? count : 0)));
