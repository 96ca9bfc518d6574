import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testBroker } from '@millrace/broker';
import { type Bus, inspectBus } from '@millrace/bus';
import { afterAll, expect, test } from 'vitest';
import { eventually } from '../support/wait.ts';
import { jetstreamOf, mutations } from './broker-store/mutations.ts';
import { type Counts, Traffic } from './broker-store/traffic.ts';

const rounds = 10;
const lines: string[] = [];

afterAll(() => console.log(['F3, counts as found of acknowledged:', ...lines].join('\n')));

/** `450/450 events, 112/112 commands, …` */
const compared = (found: Counts, sent: Counts): string =>
  (Object.keys(sent) as (keyof Counts)[]).map((kind) => `${found[kind]}/${sent[kind]} ${kind}`).join(', ');

/** What the first look at the damaged broker shows. */
const problemsOf = async (bus: Bus): Promise<readonly string[]> => {
  const { streams, consumers } = await inspectBus(bus);
  return [...streams, ...consumers].flatMap(({ name, problem }) =>
    problem === undefined ? [] : [`${name} ${problem}`],
  );
};

test.each(mutations)('every event has its effect once after: $name', async ({ name, apply }) => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-f03-'));
  const olderCopy = join(directory, 'older');
  const broker = await testBroker();
  const traffic = await Traffic.open(broker.url, directory);
  try {
    traffic.consume();
    await traffic.send(rounds);
    await eventually('the first part', async () => expect(await traffic.found()).toEqual(traffic.sent()));
    await traffic.stopConsuming();
    const kept = traffic.sent();
    await broker.kill();
    await cp(jetstreamOf(broker.storeDir), olderCopy, { recursive: true });
    await broker.start();
    await eventually('the connection', () => expect(traffic.bus.status().connected).toBe(true));
    await traffic.send(rounds);

    await broker.kill();
    await apply({ storeDir: broker.storeDir, olderCopy });
    const startedAt = performance.now();
    await broker.start();
    await eventually('the connection', () => expect(traffic.bus.status().connected).toBe(true));
    const problems = await eventually('the inspection', () => problemsOf(traffic.bus));
    traffic.consume();
    await traffic.send(1);
    const sent = traffic.sent();
    await eventually('what the outboxes have', async () => {
      const { events, commands, deadCommands } = await traffic.found();
      expect({ events, commands, deadCommands }).toMatchObject({
        events: sent.events,
        commands: sent.commands,
        deadCommands: sent.deadCommands,
      });
    });
    const recoveryMs = Math.round(performance.now() - startedAt);
    await eventually('the health', async () => {
      const { consumers } = await inspectBus(traffic.bus);
      expect(consumers.filter(({ pending, unacknowledged }) => pending + unacknowledged > 0)).toEqual([]);
      expect(consumers.filter(({ problem }) => problem !== undefined)).toEqual([]);
    });
    const found = await traffic.found();
    expect(found.records).toBeGreaterThanOrEqual(kept.records);
    lines.push(
      `${name}: ${compared(found, sent)}; in ${recoveryMs} ms; at the start: ${problems.join(', ') || 'nothing wrong'}`,
    );
  } finally {
    await traffic.close();
    await broker.stop();
    await rm(directory, { recursive: true, force: true });
  }
});
