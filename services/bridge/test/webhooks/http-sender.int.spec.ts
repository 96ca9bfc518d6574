import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolveByDns } from '../../src/webhooks/adapters/host-addresses.ts';
import { HttpSender } from '../../src/webhooks/adapters/http-sender.ts';
import { AllowList } from '../../src/webhooks/domain/address-policy.ts';
import { parseReceiver } from '../../src/webhooks/domain/receiver.ts';
import { Receiver } from './receiver.ts';

let receiver: Receiver;
let port: string;
beforeEach(async () => {
  receiver = await Receiver.start();
  port = new URL(receiver.url).port;
});
afterEach(() => receiver.stop());

interface Attempt {
  readonly url: string;
  readonly allow?: string;
  /** What the name server answers, one answer after the other. */
  readonly answers?: readonly (readonly string[])[];
}

/** Sends once for each answer; resolves the errors, and which names were asked for. */
const send = async ({ url, allow = '', answers = [[]] }: Attempt) => {
  const list = AllowList.parse(allow);
  const asked: string[] = [];
  const left = [...answers];
  const sender = new HttpSender({
    allow: list,
    resolve: async (name) => {
      asked.push(name);
      return left.shift() ?? [];
    },
    timeoutMs: 2_000,
    now: Date.now,
  });
  const errors: string[] = [];
  for (const _ of answers) {
    const request = { headers: {}, body: '{}' };
    errors.push((await sender.send(parseReceiver(url, list), request)).error);
  }
  await sender.close();
  return { errors, asked };
};

test('connects to the address that was checked, looked up once for each connection', async () => {
  const url = `http://hooks.test:${port}/`;
  const { errors, asked } = await send({ url, allow: 'hooks.test', answers: [['127.0.0.1'], ['127.0.0.1']] });
  expect(errors).toEqual(['', '']);
  expect(asked).toEqual(['hooks.test', 'hooks.test']);
  expect(receiver.requests).toHaveLength(2);
});

test.each([
  [['127.0.0.1'], 'loopback'],
  [['8.8.8.8', '127.0.0.1'], 'loopback'],
  [['127.0.0.1', '8.8.8.8'], 'loopback'],
  [['::ffff:127.0.0.1'], 'ipv4Mapped'],
  [['169.254.169.254'], 'linkLocal'],
  [['64:ff9b::7f00:1'], 'rfc6052'],
])('a name with the addresses %j is not connected to', async (addresses, reason) => {
  const { errors } = await send({ url: 'https://rebind.test:8443/', answers: [addresses] });
  expect(errors[0]).toContain(reason);
  expect(receiver.requests).toEqual([]);
});

test('a name that gets another address later is refused then', async () => {
  const rebinding = {
    url: 'https://rebind.test/',
    allow: '127.0.0.1',
    answers: [['127.0.0.1'], ['10.0.0.1']],
  };
  const { errors } = await send(rebinding);
  // It was allowed and tried: nothing listens on port 443 there, or it speaks no TLS.
  expect(errors[0]).not.toContain('public internet');
  expect(errors[1]).toContain(
    'rebind.test has the address 10.0.0.1, which is not of the public internet (private)',
  );
});

test('a name without an address is told, and localhost is never asked of the network', async () => {
  await expect(resolveByDns('nowhere.invalid', AbortSignal.timeout(5_000))).rejects.toThrow(
    'nowhere.invalid',
  );
  expect(await resolveByDns('localhost', AbortSignal.timeout(5_000))).toEqual(['127.0.0.1', '::1']);
});
