import { createRandom, type Random } from '@millrace/random';
import { type ServiceName, serviceNames } from '@millrace/service-kit';

/** What may go wrong in a period, and with whom. */
export const nemesisKinds = [
  'kill service',
  'pause service',
  'kill broker',
  'pause broker',
  'lock store',
  'repeat events',
  'delay events',
] as const;
export type NemesisKind = (typeof nemesisKinds)[number];

export interface PlannedFault {
  readonly kind: NemesisKind;
  readonly service: ServiceName;
  /** Milliseconds after the period's begin, and for how long. */
  readonly at: number;
  readonly lasts: number;
}

export type Period = readonly PlannedFault[];

/** About this share of the periods has no fault: recovery must not need one. */
const quietShare = 0.25;
const most = 3;
/** Milliseconds. A pause may be longer than the lease of a step. */
const bounds = { at: 2_000, lasts: 3_000 };

/** What a seed does, period by period: a random subset of the kinds in each, none in about a quarter. */
export const planMix = (seed: number, periods: number): readonly Period[] =>
  Array.from({ length: periods }, (_, i) => planPeriod(createRandom(seed).derive(`period ${i}`)));

const planPeriod = (random: Random): Period => {
  if (random.uniform() < quietShare) return [];
  const kinds = random.shuffle([...nemesisKinds]).slice(0, 1 + random.integer(most));
  return kinds.map((kind) => ({
    kind,
    service: serviceNames[random.integer(serviceNames.length)] ?? 'registry',
    at: random.uniform() * bounds.at,
    lasts: random.uniform() * bounds.lasts,
  }));
};

/** `lock store of registry` */
export const describeFault = ({ kind, service }: PlannedFault): string =>
  kind.endsWith('service') || kind === 'lock store' ? `${kind} (${service})` : kind;
