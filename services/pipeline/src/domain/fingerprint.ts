import { createHash } from 'node:crypto';
import type { Artifact } from '@millrace/contracts/step';
import { canonicalJson } from '@millrace/recipe';
import { type Components, findStep, type PipelineRun, type RunStep } from './run.ts';

/** Rises when what services make of an unchanged step changes in a way that old outputs must not be reused. */
export const stepProtocolVersion = '2';

/** Identity of an artifact: its bytes, or what its owner calls it where it has none. */
const identityOf = (artifact: Artifact): string => (artifact.digest === '' ? artifact.id : artifact.digest);

/** Everything that a step's outcome depends on, now that its inputs exist; `external` is what it reads elsewhere. */
export const componentsOf = (run: PipelineRun, step: RunStep, external: Components = {}): Components => {
  const components: Record<string, string> = {
    ...step.plan.components,
    ...external,
    protocol: stepProtocolVersion,
  };
  for (const name of step.plan.needs) {
    for (const artifact of findStep(run, name)?.outputs ?? []) {
      if (artifact.kind !== 'card') components[`input.${name}.${artifact.name}`] = identityOf(artifact);
    }
  }
  return components;
};

/** SHA-256 of the step's name and components, hexadecimal. */
export const fingerprintOf = (step: string, components: Components): string =>
  createHash('sha256').update(canonicalJson({ step, components })).digest('hex');

const mostNamed = 3;
const longDigest = /^(?:sha256:)?[0-9a-f]{64}$/;

/** What differs between two steps, for a person: `config.split_ratios [8,1,1] → [7,2,1], code.steps/train.ts changed`. */
export const explainDifference = (before: Components, after: Components): string => {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort(bySource);
  const changes = names.filter((name) => before[name] !== after[name]);
  const named = changes.slice(0, mostNamed).map((name) => describeChange(name, before[name], after[name]));
  const rest = changes.length - named.length;
  return `${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
};

/** Inputs change as a consequence of something earlier, so what the step itself depends on comes first. */
const bySource = (left: string, right: string): number =>
  Number(left.startsWith('input.')) - Number(right.startsWith('input.')) || (left < right ? -1 : 1);

const describeChange = (name: string, before: string | undefined, after: string | undefined): string => {
  if (before === undefined) return `${name} added`;
  if (after === undefined) return `${name} removed`;
  return longDigest.test(before) || longDigest.test(after)
    ? `${name} changed`
    : `${name} ${before} → ${after}`;
};
