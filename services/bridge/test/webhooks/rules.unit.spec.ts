import { randomBytes } from 'node:crypto';
import { allEvents } from '@millrace/contracts';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { SecretBox } from '../../src/webhooks/adapters/secret-box.ts';
import { attempted, newDelivery, redelivered } from '../../src/webhooks/domain/delivery.ts';
import { checkFilter, passes } from '../../src/webhooks/domain/event-filter.ts';
import {
  nextDelayMs,
  parseSchedule,
  retryAfterMs,
  standardSchedule,
} from '../../src/webhooks/domain/retry-schedule.ts';
import { formatSecret, signatureHeaders } from '../../src/webhooks/domain/signature.ts';
import {
  activated,
  type StoredWebhook,
  stateOf,
  validSecrets,
  withFailure,
  withNewSecret,
} from '../../src/webhooks/domain/webhook.ts';

const hour = 3_600_000;
const start = Date.parse('2026-03-01T00:00:00Z');

describe('a signature', () => {
  const message = { id: '01K3ABC', at: Date.now(), body: '{"specversion":"1.0","data":"zoë ✓"}' };
  const [current, old, other] = [1, 2, 3].map(() => formatSecret(randomBytes(32))) as [
    string,
    string,
    string,
  ];

  it('is verified by the stock library of Standard Webhooks, by each secret that signs', () => {
    const headers = signatureHeaders(message, [current, old]);
    for (const secret of [current, old]) {
      expect(new Webhook(secret).verify(message.body, headers)).toMatchObject({ specversion: '1.0' });
    }
  });

  it('is refused by it for another secret, body, id or time', () => {
    const headers = signatureHeaders(message, [current]);
    const library = new Webhook(current);
    expect(() => new Webhook(other).verify(message.body, headers)).toThrow();
    expect(() => library.verify(`${message.body} `, headers)).toThrow();
    expect(() => library.verify(message.body, { ...headers, 'webhook-id': 'x' })).toThrow();
    const late = signatureHeaders({ ...message, at: message.at - 6 * 60_000 }, [current]);
    expect(() => library.verify(message.body, late)).toThrow();
  });
});

describe('a filter', () => {
  const event = {
    type: 'millrace.registry.model_version.registered.v1',
    entity: 'registry.model_version/flights/3',
  };
  const known = [...allEvents.values()];

  it.each([
    [[], [], true],
    [['millrace.registry.*'], [], true],
    [['millrace.*.model_version.registered.v1'], [], true],
    [['millrace.*.*.*.v1'], [], true],
    [['*'], [], true],
    [['millrace.registry'], [], false],
    [['millrace.training.*', 'millrace.registry.model_version.*'], [], true],
    [['millrace.registry.model_version.registered.v1.*'], [], false],
    [[], ['registry.model_version/flights/*'], true],
    [[], ['registry.model_version/flights/3'], true],
    [[], ['registry.model_version/fl'], false],
    [['millrace.registry.*'], ['registry.model_version/other/*'], false],
  ])('with types %j and entities %j lets it through: %s', (eventTypes, entities, expected) => {
    expect(passes({ eventTypes, entities }, event)).toBe(expected);
  });

  it.each([
    [{ eventTypes: ['millrace.registery.*'], entities: [] }, 'filter.eventTypes[0]'],
    [{ eventTypes: ['millrace.registry.*', 'a b'], entities: [] }, 'filter.eventTypes[1]'],
    [{ eventTypes: ['millrace.reg*'], entities: [] }, 'filter.eventTypes[0]'],
    [{ eventTypes: [''], entities: [] }, 'filter.eventTypes[0]'],
    [{ eventTypes: [], entities: ['registry.modelversion/flights/*'] }, 'filter.entities[0]'],
    [{ eventTypes: [], entities: ['registry.model_version/*/3'] }, 'filter.entities[0]'],
    [{ eventTypes: [], entities: ['registry.model_version/a\nb'] }, 'filter.entities[0]'],
    [{ eventTypes: Array<string>(51).fill('millrace.*'), entities: [] }, 'filter.eventTypes'],
  ])('%j is refused at %s', (filter, path) => {
    expect(() => checkFilter(filter, known)).toThrow(path);
  });

  it('may name what there is', () => {
    const filter = {
      eventTypes: ['millrace.*.step.failed.v1'],
      entities: ['registry.*', 'training.run/run_1'],
    };
    expect(checkFilter(filter, known)).toEqual(filter);
    expect(checkFilter(undefined, known)).toEqual({ eventTypes: [], entities: [] });
  });
});

describe('the schedule of retries', () => {
  const schedule = parseSchedule(standardSchedule, 'x');

  it('is the one of Standard Webhooks: ten attempts in three days', () => {
    expect(schedule.reduce((sum, delay) => sum + delay, 0)).toBe(75 * hour + 35 * 60_000 + 5_000);
    expect(schedule).toHaveLength(9);
  });

  it('adds up to a fifth by chance and ends', () => {
    expect(nextDelayMs(schedule, 1, 0)).toBe(5_000);
    expect(nextDelayMs(schedule, 1, 1)).toBe(6_000);
    expect(nextDelayMs(schedule, 10, 0)).toBeUndefined();
  });

  it('gives the receiver the time it asks for, but no more than a day', () => {
    expect(nextDelayMs(schedule, 1, 0, 60_000)).toBe(60_000);
    expect(nextDelayMs(schedule, 2, 0, 1_000)).toBe(300_000);
    expect(nextDelayMs(schedule, 1, 0, 90 * hour)).toBe(24 * hour);
  });

  it('reads Retry-After in seconds and as a date', () => {
    expect(retryAfterMs('120', start)).toBe(120_000);
    expect(retryAfterMs('Sun, 01 Mar 2026 00:02:00 GMT', start)).toBe(120_000);
    expect(retryAfterMs('Sat, 28 Feb 2026 00:00:00 GMT', start)).toBe(0);
    for (const nonsense of [undefined, '', '-5', 'soon', '1e9', '9'.repeat(30)]) {
      expect(retryAfterMs(nonsense, start)).toBe(0);
    }
  });

  it.each(['', '5', '5s,', '5s;5m', '2d', '1.5h', Array<string>(31).fill('1s').join(',')])(
    'may not be %j',
    (text) => {
      expect(() => parseSchedule(text, 'MILLRACE_WEBHOOK_RETRIES')).toThrow('MILLRACE_WEBHOOK_RETRIES');
    },
  );
});

describe('a delivery', () => {
  const event = {
    id: '01K3',
    type: 'millrace.registry.model_version.registered.v1',
    key: 'flights/3',
    entity: 'registry.model_version/flights/3',
    sequence: 7,
    time: '2026-03-01T00:00:00.000Z',
    headers: {},
    data: {},
  };
  const made = newDelivery({ webhookId: 'wh_1', event, now: start, ordered: true });
  const rules = { schedule: [1_000, 2_000], random: 0, now: start };
  const failed = { at: 'x', statusCode: 500, durationMs: 1, error: 'HTTP 500', retryAfterMs: 0 };

  it('fails for good after the last retry, and waits no longer', () => {
    const once = attempted(made, failed, rules);
    expect(once).toMatchObject({ state: 'DELIVERY_STATE_RETRYING', due: 'wh_1\n2026-03-01T00:00:01.000Z' });
    const last = attempted(attempted(once, failed, rules), failed, rules);
    expect(last).toMatchObject({ state: 'DELIVERY_STATE_FAILED', attemptCount: 3 });
    expect(last).not.toHaveProperty('due');
    expect(last).not.toHaveProperty('lane');
  });

  it('fails at once when the receiver is gone', () => {
    const gone = { ...failed, statusCode: 410, error: 'HTTP 410' };
    expect(attempted(made, gone, rules).state).toBe('DELIVERY_STATE_FAILED');
  });

  it('has all its retries again when it is made again, and only when it does not wait', () => {
    const ended = attempted({ ...made, failures: 2 }, failed, rules);
    expect(redelivered(ended, start)).toMatchObject({
      failures: 0,
      redeliveries: 1,
      state: 'DELIVERY_STATE_PENDING',
    });
    expect(redelivered(made, start)).toBeUndefined();
  });

  it('keeps the last attempts only', () => {
    const many = { ...rules, schedule: Array<number>(100).fill(1) };
    let delivery = made;
    for (let i = 0; i < 50; i += 1) delivery = attempted(delivery, { ...failed, statusCode: i }, many);
    expect(delivery.attemptCount).toBe(50);
    expect(delivery.attempts.map(({ statusCode }) => statusCode)).toEqual(
      Array.from({ length: 20 }, (_, i) => 30 + i),
    );
  });
});

describe('a webhook', () => {
  const webhook: StoredWebhook = {
    id: 'wh_1',
    url: 'https://a.test/',
    description: '',
    filter: { eventTypes: [], entities: [] },
    unordered: false,
    active: true,
    createdAt: 'x',
    updatedAt: 'x',
    secrets: [{ sealed: 'one' }],
    consecutiveFailures: 0,
  };
  const rules = { disableAfterMs: 10 * hour };
  const failure = { statusCode: 500, error: 'HTTP 500' };

  it('is switched off when every attempt failed for long', () => {
    const failing = withFailure(webhook, failure, rules, start);
    expect(stateOf(withFailure(failing, failure, rules, start + 9 * hour))).toBe('WEBHOOK_STATE_ACTIVE');
    const off = withFailure(failing, failure, rules, start + 10 * hour);
    expect(off.disabled?.reason).toContain('lastly: HTTP 500');
    expect(stateOf(activated(off))).toBe('WEBHOOK_STATE_ACTIVE');
  });

  it('is switched off at once by 410', () => {
    expect(stateOf(withFailure(webhook, { statusCode: 410, error: 'x' }, rules, start))).toBe(
      'WEBHOOK_STATE_DISABLED',
    );
  });

  it('signs with the old secret until its time is over', () => {
    const rotated = withNewSecret(webhook, 'two', hour, start);
    const sealed = (at: number) => validSecrets(rotated, at).map((secret) => secret.sealed);
    expect(sealed(start)).toEqual(['two', 'one']);
    expect(sealed(start + hour)).toEqual(['two']);
    expect(withNewSecret(webhook, 'two', 0, start).secrets).toEqual([{ sealed: 'two' }]);
  });

  it('never signs with more than three', () => {
    let many = webhook;
    for (const name of ['two', 'three', 'four', 'five']) many = withNewSecret(many, name, hour, start);
    expect(many.secrets.map(({ sealed }) => sealed)).toEqual(['five', 'four', 'three']);
  });
});

describe('a secret at rest', () => {
  const [first, second] = [1, 2].map(() => randomBytes(32).toString('base64')) as [string, string];
  const secret = formatSecret(randomBytes(32));

  it('is encrypted for its webhook when there is a key', () => {
    const box = new SecretBox(first);
    const sealed = box.seal('wh_1', secret);
    expect(sealed).not.toContain(secret.slice(6, 20));
    expect(box.open('wh_1', sealed)).toBe(secret);
    expect(() => box.open('wh_2', sealed)).toThrow('damaged or belongs to another');
    expect(() => new SecretBox(second).open('wh_1', sealed)).toThrow('MILLRACE_SECRETS_KEY lacks');
    expect(() => new SecretBox(undefined).open('wh_1', sealed)).toThrow('MILLRACE_SECRETS_KEY lacks');
  });

  it('is sealed anew when the key was replaced, or one was given', () => {
    const sealed = new SecretBox(first).seal('wh_1', secret);
    const both = new SecretBox(`${second},${first}`);
    expect(both.isOutdated(sealed)).toBe(true);
    expect(both.open('wh_1', sealed)).toBe(secret);
    expect(both.isOutdated(both.seal('wh_1', secret))).toBe(false);
    expect(both.isOutdated(new SecretBox(undefined).seal('wh_1', secret))).toBe(true);
  });

  it('needs a key of the right size, which no message shows', () => {
    expect(() => new SecretBox('tooshort')).toThrow(/32 bytes/);
    expect(() => new SecretBox('tooshort')).not.toThrow(/tooshort/);
  });
});
