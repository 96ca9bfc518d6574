import { createRandom } from '@millrace/random';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { BridgeLab } from './bridge-lab.ts';
import { acknowledge, answerWith, Receiver } from './receiver.ts';

const seed = Number(process.env.MILLRACE_TEST_SEED ?? 20260301);
const kills = Number(process.env.MILLRACE_WEBHOOK_KILLS ?? 4);
const eventsPerKill = 40;
const models = 8;

let lab: BridgeLab;
let receiver: Receiver;

beforeAll(async () => {
  // After a kill an attempt that was under way is made again when its claim is over: twice this and a second.
  lab = await BridgeLab.start({ MILLRACE_WEBHOOK_TIMEOUT_MS: '500' });
  receiver = await Receiver.start();
  await lab.fork();
});

afterAll(async () => {
  await lab?.stop();
  await receiver?.stop();
});

test('no event is lost and none is invented when the bridge is killed again and again', async () => {
  const random = createRandom(seed);
  let requests = 0;
  const refused = new Set<string>();
  receiver.answer = (response, received) => {
    requests += 1;
    // Some are refused, so that retries are under way when the kill comes.
    const refuse = random.uniform() < 0.2 && !refused.has(received.id);
    if (refuse) refused.add(received.id);
    (refuse ? answerWith(503) : acknowledge)(response, received);
  };
  await lab.create(receiver.url);
  const published = new Map<string, string[]>();
  for (let kill = 0; kill < kills; kill += 1) {
    const killAfter = requests + random.integer(eventsPerKill);
    for (let number = 0; number < eventsPerKill; number += 1) {
      const model = `kill-${random.integer(models)}`;
      published.set(model, [...(published.get(model) ?? []), await lab.publish(model)]);
    }
    await vi.waitFor(() => expect(requests).toBeGreaterThanOrEqual(killAfter), {
      timeout: 60_000,
      interval: 1,
    });
    await lab.kill();
    await lab.fork();
  }
  const ids = [...published.values()].flat();
  await vi.waitFor(() => expect(new Set(receiver.ids).size).toBe(ids.length), {
    timeout: 60_000,
    interval: 50,
  });
  expect(new Set(receiver.ids)).toEqual(new Set(ids));
  expect(new Set(receiver.requests.map(({ id }) => id))).toEqual(new Set(ids));
  for (const expected of published.values()) {
    const first = [...new Set(receiver.ids)].filter((id) => expected.includes(id));
    expect(first).toEqual(expected);
  }
  const doubled = receiver.ids.length - ids.length;
  console.log(
    `seed ${seed}: ${kills} kills, ${ids.length} events published, ${receiver.requests.length} requests, ` +
      `${receiver.ids.length} acknowledged, ${new Set(receiver.ids).size} distinct webhook-ids, ${doubled} sent twice`,
  );
}, 300_000);
