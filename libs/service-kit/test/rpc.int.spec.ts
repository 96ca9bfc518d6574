import {
  type RegistryServiceService as Definition,
  RegistryServiceService,
} from '@millrace/contracts/registry';
import {
  Cancelled,
  Conflict,
  ErrorCode,
  Invalid,
  MillraceError,
  NotFound,
  TimedOut,
  Unavailable,
} from '@millrace/errors';
import { createLogger } from '@millrace/telemetry';
import { afterEach, describe, expect, it } from 'vitest';
import { type RpcServer, startRpcServer } from '../src/grpc-server.ts';
import { type CallContext, PeerChannel, type RpcHandlers, rpc } from '../src/index.ts';

type GetModel = RpcHandlers<typeof Definition>['getModel'];

const servers: RpcServer[] = [];
const channels: PeerChannel[] = [];
afterEach(async () => {
  for (const channel of channels.splice(0)) channel.close();
  for (const server of servers.splice(0)) await server.stop();
});

const serve = async (getModel: GetModel, port = 0): Promise<RpcServer> => {
  const handlers = { getModel } as RpcHandlers<typeof Definition>;
  const server = await startRpcServer({
    service: 'registry',
    host: '127.0.0.1',
    port,
    bindings: [rpc(RegistryServiceService, handlers)],
    log: createLogger('silent'),
  });
  servers.push(server);
  return server;
};

const connect = (address: () => string) => {
  const channel = new PeerChannel('registry', address);
  channels.push(channel);
  return channel.service(RegistryServiceService);
};

const clientOf = async (getModel: GetModel) => {
  const { port } = await serve(getModel);
  return connect(() => `127.0.0.1:${port}`);
};

const errorOf = (failing: Promise<unknown>): Promise<MillraceError> =>
  failing.then(
    () => Promise.reject(new Error('it did not fail')),
    (thrown: MillraceError) => thrown,
  );

/** Hangs until its call is cancelled. */
const hanging = () => {
  const seen: { signal?: AbortSignal } = {};
  const answer: GetModel = (_request, { signal }: CallContext) => {
    seen.signal = signal;
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('gone'))));
  };
  return { seen, answer };
};

describe('an error of a service', () => {
  it.each(Object.values(ErrorCode))('%s reaches the caller as it was thrown', async (code) => {
    const thrown = new MillraceError(code, 'it is “so” – ü\nline two', {
      hint: 'do this ✓',
      violations: [{ path: 'steps.split[1]', message: 'must be above 0' }],
      details: { field: 'alias' },
    });
    const { getModel } = await clientOf(() => Promise.reject(thrown));
    const error = await errorOf(getModel({ name: 'flights' }));
    expect(error).toMatchObject({
      code,
      message: thrown.message,
      hint: 'do this ✓',
      violations: thrown.violations,
      details: thrown.details,
    });
  });

  it('keeps its code when it has more to say than a header carries', async () => {
    const violations = Array.from({ length: 2000 }, (_, i) => ({
      path: `rows[${i}]`,
      message: 'x'.repeat(200),
    }));
    const { getModel } = await clientOf(() =>
      Promise.reject(new Invalid('y'.repeat(100_000), { violations, hint: 'z'.repeat(100_000) })),
    );
    const error = await errorOf(getModel({ name: 'flights' }));
    expect(error.code).toBe(ErrorCode.invalid);
    expect(error.message).toMatch(/^y{500}/);
    expect(error.violations[0]).toEqual(violations[0]);
    expect(error.violations.at(-1)?.message).toMatch(/\d+ more/);
  });

  it('that is a defect says its text and no stack', async () => {
    const { getModel } = await clientOf(() => Promise.reject(new TypeError('x is undefined')));
    const error = await errorOf(getModel({ name: 'flights' }));
    expect(error).toMatchObject({ code: ErrorCode.internal, message: 'x is undefined', details: {} });
  });
});

describe('a call', () => {
  it('carries request and answer', async () => {
    const { getModel } = await clientOf(async ({ name }) => {
      if (name !== 'flights') throw new NotFound(`there is no model ${name}`);
      return { model: undefined };
    });
    expect(await getModel({ name: 'flights' })).toEqual({ model: undefined });
    await expect(getModel({ name: 'trips' })).rejects.toThrow('there is no model trips');
  });

  it('ends at its deadline, and the service stops working on it', async () => {
    const { seen, answer } = hanging();
    const { getModel } = await clientOf(answer);
    const error = await errorOf(getModel({ name: 'flights' }, { timeoutMs: 100 }));
    expect(error.code).toBe(new TimedOut('').code);
    await expect.poll(() => seen.signal?.aborted).toBe(true);
  });

  it('can be cancelled before and while it is made', async () => {
    const { seen, answer } = hanging();
    const { getModel } = await clientOf(answer);
    expect((await errorOf(getModel({ name: 'a' }, { signal: AbortSignal.abort() }))).code).toBe(
      new Cancelled('').code,
    );
    expect(seen.signal).toBeUndefined();
    const abort = new AbortController();
    const call = errorOf(getModel({ name: 'a' }, { signal: abort.signal }));
    await expect.poll(() => seen.signal).toBeDefined();
    abort.abort();
    expect((await call).code).toBe(new Cancelled('').code);
    await expect.poll(() => seen.signal?.aborted).toBe(true);
  });

  it('waits for a peer that restarts on its port', async () => {
    const first = await serve(async () => ({ model: undefined }));
    const { getModel } = connect(() => `127.0.0.1:${first.port}`);
    await getModel({ name: 'flights' });
    await first.stop();
    const waiting = getModel({ name: 'flights' });
    await serve(async () => ({ model: undefined }), first.port);
    expect(await waiting).toEqual({ model: undefined });
  });

  it('follows a peer to its new address', async () => {
    const first = await serve(async () => ({ model: undefined }));
    let port = first.port;
    const { getModel } = connect(() => `127.0.0.1:${port}`);
    await getModel({ name: 'flights' });
    port = (await serve(() => Promise.reject(new Conflict('the second')))).port;
    await expect(getModel({ name: 'flights' })).rejects.toThrow('the second');
  });

  it('to nobody fails at its deadline and names the peer', async () => {
    const { getModel } = connect(() => '127.0.0.1:1');
    const error = await errorOf(getModel({ name: 'flights' }, { timeoutMs: 300 }));
    expect(error).toBeInstanceOf(MillraceError);
    expect(error).toMatchObject({
      code: new Unavailable('').code,
      hint: 'Check that the registry service is running.',
    });
  });

  it('to a method without a handler is an error of the taxonomy', async () => {
    const { port } = await serve(async () => ({ model: undefined }));
    const { listModels } = connect(() => `127.0.0.1:${port}`);
    expect(await errorOf(listModels({ page: undefined }))).toBeInstanceOf(MillraceError);
  });
});

describe('a listener', () => {
  it('whose port is taken says which setting chooses another', async () => {
    const { port } = await serve(async () => ({ model: undefined }));
    const error = await errorOf(serve(async () => ({ model: undefined }), port));
    expect(error).toMatchObject({ code: ErrorCode.failedPrecondition });
    expect(error.hint).toContain('MILLRACE_GRPC_PORT');
  });
});
