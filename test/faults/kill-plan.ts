import { createRandom, type Random } from '@millrace/random';
import { type ServiceName, serviceNames } from '@millrace/service-kit';

/** Which service does which step. */
const owners = {
  ingest: 'ingest',
  split: 'ingest',
  transform: 'training',
  train: 'training',
  evaluate: 'evaluation',
  register: 'registry',
  deploy: 'deployment',
  monitor: 'monitoring',
} as const satisfies Record<string, ServiceName>;

export type StepName = keyof typeof owners;
export const steps = Object.keys(owners) as StepName[];

export const victims = [...serviceNames, 'broker'] as const;
export type Victim = (typeof victims)[number];

/** Who is killed, and when: after a share of the step's usual duration, or when its result is told. */
export interface Kill {
  readonly victim: Victim;
  readonly step: StepName;
  readonly at: number | 'result';
}

/** Steps of others at which the sample kills a service, and the broker. */
const otherSteps = { service: 1, broker: 4 };
/** Until then, as a share of its usual duration, a step is surely not done. */
const inTheMiddle = 0.6;
/** How many of the kills of those who do not do the step come with its result. */
const resultShare = 0.25;

/**
 * The kills of a seed. Who does a step is killed in its middle and when its result is told, or in one of the two unless
 * `full`; everyone else once in every step when `full`, else in some.
 */
export const planKills = (seed: number, full: boolean): readonly Kill[] => {
  const random = createRandom(seed);
  return victims.flatMap((victim) => {
    const own = random.derive(victim);
    const isOwn = (step: StepName) => owners[step] === victim;
    const others = steps.filter((step) => !isOwn(step));
    const wanted = otherSteps[victim === 'broker' ? 'broker' : 'service'];
    const sample = full ? others : own.shuffle([...others]).slice(0, wanted);
    const kills: Kill[] = steps.filter(isOwn).flatMap((step) => {
      const both: Kill[] = [
        { victim, step, at: own.uniform() * inTheMiddle },
        { victim, step, at: 'result' },
      ];
      return full ? both : both.slice(...(own.uniform() < 0.5 ? [0, 1] : [1, 2]));
    });
    return [...kills, ...sample.map((step) => ({ victim, step, at: anyMoment(own) }))];
  });
};

const anyMoment = (random: Random): Kill['at'] =>
  random.uniform() < resultShare ? 'result' : random.uniform();

/** `when its result is told`, `after 38 % of its time` */
export const describeMoment = (at: Kill['at']): string =>
  at === 'result' ? 'when its result is told' : `after ${Math.round(at * 100)} % of its time`;
