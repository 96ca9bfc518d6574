import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Evidence } from './evidence.ts';
import type { History } from './history.ts';

/** A secret that is set up as the API's token, so that it may show up nowhere else. */
export const canaryOf = (seed: number): string =>
  `canary-${createHash('sha256').update(`canary ${seed}`).digest('hex').slice(0, 32)}`;

const longestLog = 64 * 1024 ** 2;

/** Where the secret was found: logs, files beside the stores, dead letters, events, errors told to the client. */
export const findSecret = async (
  secret: string,
  { dataDir, events, deadLetters, audit, runs }: Evidence,
  history: History,
): Promise<readonly string[]> => {
  const places: (readonly [string, unknown])[] = [
    ['dead letters', deadLetters],
    ['events', events],
    ['audit log', audit],
    ['pipeline runs', runs],
    ['errors told to the client', history.operations.map(({ error }) => error)],
  ];
  for (const name of await readdir(dataDir)) {
    if (!/\.(log|json)$/.test(name)) continue;
    places.push([name, (await readFile(join(dataDir, name))).subarray(-longestLog).toString('utf8')]);
  }
  return places.flatMap(([place, content]) => {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    const at = text.indexOf(secret);
    return at < 0 ? [] : [`the secret is in the ${place}: …${text.slice(Math.max(0, at - 80), at)}<secret>…`];
  });
};
