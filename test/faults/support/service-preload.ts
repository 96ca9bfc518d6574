/**
 * Loaded into every service before its own code (`node --import`): gives it a wall clock of its own, and leads its
 * connections through the test's proxies. What the services run is what users run: nothing of this is in them.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** By service, or `*` for the others. */
export interface Clock {
  readonly offsetMs?: number;
  /** Stands still at this time, milliseconds since the epoch. */
  readonly frozenAt?: number;
}
export type Clocks = Readonly<Record<string, Clock>>;

/** By service: variables that lead it elsewhere. */
export type Routes = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Real milliseconds between two looks at the file of clocks. */
const lookEveryMs = 50;

const service = /\/services\/([a-z]+)\/src\/main\.ts$/.exec(process.argv[1] ?? '')?.[1];

const skewClock = (own: string, path: string): void => {
  const { now } = Date;
  let clock: Clock = {};
  let lookedAt = Number.NEGATIVE_INFINITY;
  const skewed = (): number => {
    if (performance.now() - lookedAt > lookEveryMs) {
      lookedAt = performance.now();
      try {
        const clocks = JSON.parse(readFileSync(path, 'utf8')) as Clocks;
        clock = clocks[own] ?? clocks['*'] ?? {};
      } catch {
        // Being written: the clock stays what it was.
      }
    }
    return clock.frozenAt ?? now() + (clock.offsetMs ?? 0);
  };
  globalThis.Date = new Proxy(Date, {
    construct: (target, given, made) =>
      Reflect.construct(target, given.length === 0 ? [skewed()] : given, made) as Date,
    apply: (target) => new target(skewed()).toString(),
    get: (target, name) => (name === 'now' ? skewed : Reflect.get(target, name)),
  });
};

/** Notes where it would have gone, for the proxies to go there. */
const reroute = (own: string, path: string): void => {
  const directory = `${path}.targets`;
  mkdirSync(directory, { recursive: true });
  const routes = JSON.parse(readFileSync(path, 'utf8')) as Routes;
  for (const [name, address] of Object.entries(routes[own] ?? {})) {
    const target = process.env[name];
    if (target !== undefined) writeFileSync(join(directory, name), target);
    process.env[name] = address;
  }
};

const { MILLRACE_TEST_CLOCKS: clocks, MILLRACE_TEST_ROUTES: routes } = process.env;
if (service !== undefined && clocks !== undefined) skewClock(service, clocks);
if (service !== undefined && routes !== undefined) reroute(service, routes);

/** What `NODE_OPTIONS` has to be for services to load this. */
export const preloadOption = `--import=${import.meta.url}`;
