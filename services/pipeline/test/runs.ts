import type { Artifact } from '@millrace/contracts/step';
import { createRandom } from '@millrace/random';
import type { PlannedStep, StepName } from '@millrace/recipe';
import { expect } from 'vitest';
import type { Decided } from '../src/domain/effects.ts';
import type { ReusableOutputs, RunInput, StepReport } from '../src/domain/inputs.ts';
import { createRun, type NewRun } from '../src/domain/new-run.ts';
import { currentStep, findStep, isEnded, type PipelineRun, type RunStep } from '../src/domain/run.ts';

export const artifact = (over: Partial<Artifact>): Artifact => ({
  name: 'data',
  kind: 'dataset_version',
  id: '',
  digest: '',
  size: 0,
  mediaType: '',
  attributes: {},
  ...over,
});

export const modelVersion = artifact({ name: 'model_version', kind: 'model_version', id: 'm/1' });

export const spans = (count: number, prefix: string): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

const planned = (name: string, index: number, names: readonly string[]): PlannedStep => ({
  name: name as StepName,
  service: `${name}-service`,
  needs: names.slice(0, index) as StepName[],
  config: {},
  timeoutMs: 60_000,
  retries: 2,
  cache: { enabled: true },
  code: [],
  dataFiles: [],
  components: { 'config.a': '1' },
  readsChampion: false,
});

/** A new run of steps with these names, each needing all before it. */
export const newRun = (names: readonly string[], over: Partial<NewRun> = {}): Decided =>
  createRun(
    {
      id: 'run_1',
      number: 1,
      project: { project: 'p', manifestDigest: 'sha256:0', commit: '', dirtyDigest: '' },
      recipe: {
        kind: 'regression/v1',
        task: 'regression',
        targetColumn: 'y',
        positiveClass: '',
        primaryMetric: 'r2_score',
        customMetrics: [],
        seed: 42,
        profile: '',
        modelName: 'm',
        experimentName: 'p',
        runtime: 'node',
        positiveClassValue: undefined,
        pythonNeeds: [],
      },
      plan: names.map(planned),
      fromStep: '',
      toStep: '',
      noCache: false,
      submittedBy: { name: 'user:ada', reason: '' },
      warnings: [],
      traceId: 'trace',
      spanIds: spans(names.length + 1, 'span'),
      ...over,
    },
    900_000,
  );

/** The cache was consulted: a hit with these outputs, or a miss. */
export const lookup = (step: string, reusable?: ReusableOutputs): RunInput => ({
  kind: 'cache_consulted',
  lookup: {
    step,
    components: { 'config.a': '1' },
    fingerprint: `fp-${step}`,
    decision: { hit: reusable !== undefined, reason: 'test', sourceRunId: reusable?.madeBy ?? '' },
    ...(reusable === undefined ? {} : { reusable }),
  },
});

/** The first worker of the first attempt reports. */
export const report = (step: string, over: Partial<StepReport> = {}): RunInput => ({
  kind: 'step_reported',
  report: { step, attempt: 1, lease: 1, outputs: [], warnings: [], workMs: 1, ...over },
});

export const stepOf = (current: PipelineRun, name: string): RunStep | undefined => findStep(current, name);

/** `['running', 'ingest:succeeded', 'train:pending']` */
export const summaryOf = (current: PipelineRun): readonly string[] => [
  current.state,
  ...current.steps.map(({ plan, state }) => `${plan.name}:${state}`),
];

const anyInput = (next: () => number, current: PipelineRun): RunInput => {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T;
  const step = pick(current.steps).plan.name;
  const attempt = Math.floor(next() * 4);
  const error = { code: 'internal', message: 'no', hint: '', violations: [], retryable: next() < 0.7 };
  return pick<RunInput>([
    { kind: 'begin' },
    lookup(step),
    lookup(step, { outputs: [], warnings: [], madeAt: 1, madeBy: 'run_0' }),
    report(step, { attempt }),
    report(step, { attempt }),
    report(step, { attempt, error }),
    {
      kind: 'approval_known',
      step,
      subject: 'm/1',
      verdict: pick(['approved', 'pending', 'rejected', 'not_needed']),
      reason: '',
    },
    { kind: 'tick' },
    { kind: 'tick' },
    ...(next() < 0.2 ? [{ kind: 'cancel', actor: { name: 'user:ada', reason: '' } } as const] : []),
    { kind: 'resume', actor: { name: 'user:ada', reason: '' }, spanIds: [] },
    { kind: 'traced' },
  ]);
};

/** What holds between any two states of a run. */
const expectSound = (before: PipelineRun, { run: now, effects }: Decided): void => {
  const ends = effects.filter(({ kind }) => kind === 'run_ended').length;
  expect(ends).toBe(isEnded(now) && !isEnded(before) ? 1 : 0);
  expect(now.steps.filter(({ state }) => state === 'running').length).toBeLessThanOrEqual(1);
  for (const [index, step] of now.steps.entries()) {
    const earlier = before.steps[index] as RunStep;
    expect(step.attempt).toBeGreaterThanOrEqual(earlier.attempt);
    expect(step.attempt - earlier.attempt).toBe(
      effects.some((effect) => effect.kind === 'step_dispatched' && effect.step === step.plan.name) ? 1 : 0,
    );
    if (earlier.state === 'succeeded' || earlier.state === 'cached') expect(step).toEqual(earlier);
  }
  if (isEnded(now))
    expect(now.steps.every(({ state }) => !['pending', 'running', 'waiting'].includes(state))).toBe(true);
  else expect(currentStep(now)).toBeDefined();
  if (now.state === 'waiting') expect(now.waitingFor).not.toBe('');
};

/** For the property test over random histories. */
export const run = { random: (seed: number) => createRandom(seed).uniform, anyInput, expectSound };
