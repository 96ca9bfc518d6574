import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ErrorCode } from '@millrace/errors';
import { apiPrefix, pathParameters, rpcContract, rpcRoutes } from '@millrace/rest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmbedded } from '../src/embedded.ts';
import { modules } from '../src/modules.ts';

let dataDir: string;
let embedded: Awaited<ReturnType<typeof startEmbedded>>;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'millrace-embedded-'));
  const env = {
    MILLRACE_DATA_DIR: dataDir,
    MILLRACE_PORT: '0',
    MILLRACE_LOG_LEVEL: 'silent',
    PATH: process.env.PATH,
  };
  embedded = await startEmbedded(modules, env, () => {});
});
afterAll(async () => {
  await embedded.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const call = async (method: string, path: string, body?: object) => {
  const answer = await fetch(`${embedded.url}${apiPrefix}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return {
    status: answer.status,
    body: (await answer.json()) as { error?: { code: string; message: string } },
  };
};

const titled = rpcRoutes.map((route) => [`${route.method} ${route.path}`, route] as const);
const addressOf = (path: string, value: string) =>
  pathParameters(path).reduce((text, name) => text.replace(`:${name}`, value), path);
const hasBody = (method: string) => method === 'POST' || method === 'PUT';

/** Errors that say what the caller did wrong. */
const callersFault = new Set<string>([
  ErrorCode.invalid,
  ErrorCode.notFound,
  ErrorCode.conflict,
  ErrorCode.failedPrecondition,
]);

const expectReasonable = ({ status, body }: Awaited<ReturnType<typeof call>>) => {
  if (status === 200) return;
  expect(callersFault, body.error?.message).toContain(body.error?.code);
};

describe('every route on an empty Millrace', () => {
  it.each(titled)(
    '%s answers, or says what is wrong, of a thing that does not exist',
    async (_, { method, path }) => {
      expectReasonable(await call(method, addressOf(path, '7'), hasBody(method) ? {} : undefined));
    },
  );

  it.each(titled)('%s stands empty and strange values', async (_, route) => {
    const { properties = {} } = rpcContract(route).request.schema;
    const strange = Object.fromEntries(
      Object.entries(properties)
        .filter(([name]) => !pathParameters(route.path).includes(name) && name !== 'actor' && name !== 'page')
        .map(([name, { type }]) => [
          name,
          type === 'string' ? '…\u0001/..' : type === 'integer' ? -1 : type === 'object' ? {} : undefined,
        ]),
    );
    const query = Object.entries(strange)
      .filter(([, value]) => typeof value !== 'object' && value !== undefined)
      .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
      .join('&');
    const address = addressOf(route.path, '-1');
    expectReasonable(
      hasBody(route.method)
        ? await call(route.method, address, strange)
        : await call(route.method, `${address}?${query}`),
    );
  });
});
