import type { PackagedTransform } from '@millrace/modeling';

const shownCategories = 20;

type FittedSteps = Extract<PackagedTransform, { kind: 'builtin' }>['state']['steps'];

/** A fitted transform as text, one line for each column that it reads. */
export const describeTransform = (transform: PackagedTransform): string => {
  switch (transform.kind) {
    case 'none':
      return 'The data goes to the estimator as it is.';
    case 'typescript':
      return `${transform.function.export} of ${transform.function.file}`;
    case 'builtin':
      return transform.state.steps.map(describeStep).join('\n');
  }
};

const describeStep = (step: FittedSteps[number]): string => {
  switch (step.kind) {
    case 'numeric': {
      const filled = step.fill === null ? 'missing stays missing' : `missing → ${rounded(step.fill)}`;
      const scaled =
        step.center === 0 && step.scale === 1
          ? ''
          : `, (x − ${rounded(step.center)}) / ${rounded(step.scale)}`;
      return `${step.column}: number, ${filled}${scaled}${step.indicator ? ', with an indicator' : ''}`;
    }
    case 'one_hot': {
      const more = step.categories.length - shownCategories;
      const named = step.categories.slice(0, shownCategories).join(', ');
      return `${step.column}: one-hot of ${named}${more > 0 ? ` and ${more} more` : ''}${step.rare.length > 0 ? `, ${step.rare.length} rare together` : ''}`;
    }
    case 'date':
      return `${step.column}: time as ${step.parts.join(', ')}${step.cyclical ? ', cyclical' : ''}`;
    case 'keep':
      return `${step.column}: as it is${step.fill === null ? '' : `, missing → ${step.fill}`}`;
  }
};

const rounded = (value: number): string => String(Number(value.toPrecision(6)));
