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

/** Steps of others at which the sample kills a service. */
const otherSteps = 2;
/** How many of the kills come with the step's result. */
const resultShare = 0.25;

/** The kills of a seed: everyone in every step when `full`, else each in its own steps and in some others. */
export const planKills = (seed: number, full: boolean): readonly Kill[] => {
  const random = createRandom(seed);
  return victims.flatMap((victim) => {
    const own = random.derive(victim);
    const chosen = full ? steps : sampleOf(victim, own);
    return chosen.map((step) => {
      const moment = own.uniform();
      return { victim, step, at: own.uniform() < resultShare ? ('result' as const) : moment };
    });
  });
};

/** Every step goes through the broker. */
const sampleOf = (victim: Victim, random: Random): readonly StepName[] => {
  const own = steps.filter((step) => victim === 'broker' || owners[step] === victim);
  const others = random.shuffle(steps.filter((step) => !own.includes(step)));
  return [...own, ...others.slice(0, otherSteps)];
};
