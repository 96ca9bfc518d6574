import { type Bus, structuredEvent } from '@millrace/bus';
import { Invalid } from '@millrace/errors';
import { apiPrefix } from '@millrace/rest';
import type { FastifyInstance } from 'fastify';
import { EventStream } from './server-sent-events.ts';
import type { StallOptions } from './stalled-reader.ts';

type Since = NonNullable<Parameters<Bus['readEvents']>[0]>['since'];

/** `all`, `new`, a stream sequence or an ISO 8601 time. Throws `Invalid`. */
export const parseSince = (text: string): NonNullable<Since> => {
  if (text === 'all' || text === 'new') return text;
  if (/^\d{1,15}$/.test(text)) return { afterSequence: Number(text) };
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) {
    throw Invalid.field('since', `"${text}" is neither "all", "new", a sequence nor an ISO 8601 time`);
  }
  return { time };
};

interface EventQuery {
  filter?: string[];
  since?: string;
  key?: string;
  follow?: boolean;
}

const querystring = {
  type: 'object',
  properties: {
    filter: { type: 'array', items: { type: 'string', maxLength: 512 }, maxItems: 50 },
    since: { type: 'string', maxLength: 64 },
    key: { type: 'string', maxLength: 512 },
    follow: { type: 'boolean' },
  },
  additionalProperties: false,
};

const filterGrammar = /^millrace\.evt(\.[\w*-]+)*(\.>)?$/;

const filtersOf = (filter: EventQuery['filter']): readonly string[] => {
  const filters = filter ?? ['millrace.evt.>'];
  for (const item of filters) {
    if (!filterGrammar.test(item)) {
      throw Invalid.field('filter', `"${item}" is not a subject below millrace.evt`);
    }
  }
  return filters;
};

/**
 * `GET /events`: every lifecycle event as a CloudEvent, live or from the past, resumable by the stream's sequence. With
 * `follow=false` it ends with an event `end` after the last that there is.
 */
export const registerEventRoutes = (app: FastifyInstance, bus: Bus, streams: StallOptions): void => {
  const options = {
    schema: { querystring },
    exposeHeadRoute: false,
    config: { permission: 'read', stream: true },
  } as const;
  app.get<{ Querystring: EventQuery }>(`${apiPrefix}/events`, options, async (request, reply) => {
    const last = request.headers['last-event-id'];
    const since = parseSince(typeof last === 'string' && last !== '' ? last : (request.query.since ?? 'new'));
    const filterSubjects = filtersOf(request.query.filter);
    const { key, follow = true } = request.query;
    const stream = new EventStream(reply, streams);
    await stream.run(async () => {
      for await (const event of bus.readEvents({ filterSubjects, since, follow, signal: stream.signal })) {
        if (key !== undefined && event.key !== key) continue;
        await stream.send(event.type, structuredEvent(event), event.streamSequence);
      }
      // Tells a reader that this was all from a connection that was cut.
      if (!follow) await stream.send('end', {});
    });
  });
};
