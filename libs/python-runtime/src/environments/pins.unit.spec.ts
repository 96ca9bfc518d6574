import { expect, it } from 'vitest';
import { preferencesFor } from './pins.ts';

it.each([
  ['flaml==1.2.0', true],
  ['flaml[automl]>=1.1,<2', true],
  ['flaml ~= 1.2', true],
  ['flaml>=1.2', false],
  ['flaml==2.3.0', false],
  ['xgboost', false],
])('beside %s an old XGBoost is preferred: %s', (requirement, isPreferred) => {
  const names = preferencesFor(['pandas', requirement]).map(({ name }) => name);
  expect(names.includes('xgboost')).toBe(isPreferred);
  expect(names).toContain('scikit-learn');
});
