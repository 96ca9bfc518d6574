import {
  asMillraceError,
  type ErrorJson,
  errorFromJson,
  errorToJson,
  Invalid,
  TimedOut,
  Unavailable,
} from '@millrace/errors';
import { activeTraceHeaders, contextFromHeaders } from '@millrace/telemetry';
import { headers, type Msg, type NatsConnection, RequestError, TimeoutError } from '@nats-io/transport-node';
import { context } from '@opentelemetry/api';
import type { Bus, BusInternals, LiveMessage } from './bus.ts';
import { headerRecord, headersFromRecord } from './cloud-events.ts';
import type { Running } from './port.ts';
import { checkFilter, checkSubject } from './subjects.ts';

/** Set on an answer that is an error; the body is its JSON form. */
const errorHeader = 'millrace-error';

type LiveMessaging = Pick<Bus, 'publishProgress' | 'subscribeProgress' | 'subscribe' | 'request' | 'reply'>;

/** The part of the bus that stores nothing: progress, subscriptions, request and reply over core NATS. */
export const liveMessaging = (service: string, internals: BusInternals): LiveMessaging => {
  const { nc, logger } = internals;

  const subscribe = (
    subject: string,
    handle: (message: LiveMessage, raw: Msg) => void | Promise<void>,
    queue?: string,
  ): Running => {
    checkFilter(subject);
    const subscription = nc.subscribe(subject, {
      ...(queue === undefined ? {} : { queue }),
      callback: (error, message) => {
        if (error !== null) {
          logger.error({ err: error, subject }, 'a subscription failed');
          return;
        }
        const logFailure = (thrown: unknown) =>
          logger.warn({ err: thrown, subject: message.subject }, 'handling a live message failed');
        try {
          const live = liveMessage(message);
          const sender = contextFromHeaders(live.headers, internals.home);
          Promise.resolve(context.with(sender, () => handle(live, message))).catch(logFailure);
        } catch (thrown) {
          logFailure(thrown);
        }
      },
    });
    return { stop: () => (nc.isClosed() ? Promise.resolve() : subscription.drain()) };
  };

  return {
    publishProgress: (subject, json) => {
      checkSubject(subject);
      if (!internals.connected()) return;
      nc.publish(subject, JSON.stringify(json), { headers: headersFromRecord(activeTraceHeaders()) });
    },
    subscribeProgress: (subject, handle) =>
      subscribe(subject, (message) => handle(message.json(), message.subject)),
    subscribe,
    request: (subject, json, options) => request(nc, subject, json, options?.timeoutMs ?? 5_000),
    reply: (subject, answer) =>
      subscribe(
        subject,
        async (message, raw) => {
          raw.respond(...(await answerOf(() => answer(message.json(), message))));
        },
        service,
      ),
  };
};

const liveMessage = (message: Msg): LiveMessage => ({
  subject: message.subject,
  data: message.data,
  headers: headerRecord(message.headers),
  json: () => {
    try {
      return message.json();
    } catch (thrown) {
      throw new Invalid(`the message on ${message.subject} is not JSON`, { cause: thrown });
    }
  },
});

const answerOf = async (answer: () => Promise<unknown>): Promise<Parameters<Msg['respond']>> => {
  try {
    return [JSON.stringify((await answer()) ?? null)];
  } catch (thrown) {
    const failed = headers();
    failed.set(errorHeader, '1');
    return [JSON.stringify(errorToJson(asMillraceError(thrown))), { headers: failed }];
  }
};

const request = async (
  nc: NatsConnection,
  subject: string,
  json: unknown,
  timeoutMs: number,
): Promise<unknown> => {
  checkSubject(subject);
  let answer: Msg;
  try {
    answer = await nc.request(subject, JSON.stringify(json ?? null), {
      timeout: timeoutMs,
      headers: headersFromRecord(activeTraceHeaders()),
    });
  } catch (thrown) {
    if (thrown instanceof TimeoutError) {
      throw new TimedOut(`no answer on ${subject} within ${timeoutMs} ms`, { cause: thrown });
    }
    const nobody = thrown instanceof RequestError && thrown.isNoResponders();
    throw new Unavailable(nobody ? `nobody answers on ${subject}` : `cannot ask ${subject}`, {
      cause: thrown,
    });
  }
  if (answer.headers?.has(errorHeader)) throw errorFromJson(answer.json<ErrorJson>());
  return answer.json();
};
