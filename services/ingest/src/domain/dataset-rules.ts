import { type Contract, datasetReactionOf, OnViolation } from './contract.ts';
import type { ContractFinding } from './dataset-version.ts';

/** Columns that the contract wants and the data lacks. Without a column no row can be set aside, so that blocks. */
export const missingColumns = (contract: Contract, names: readonly string[]): ContractFinding[] =>
  Object.entries(contract.columns)
    .filter(([name, rules]) => rules.required && !names.includes(name))
    .map(([name, rules]) => ({
      rule: `columns.${name}.required`,
      onViolation: datasetReactionOf(
        rules.on_violation === OnViolation.quarantine ? OnViolation.block : rules.on_violation,
        contract,
      ),
      violations: 1,
      examples: [],
      message: `the data has no column "${name}"`,
    }));

export const rowCountFindings = (contract: Contract, rows: number): ContractFinding[] => {
  const rule = contract.row_count;
  if (rule === undefined) return [];
  const onViolation = datasetReactionOf(rule.on_violation, contract);
  const finding = (key: 'min' | 'max', message: string): ContractFinding => ({
    rule: `row_count.${key}`,
    onViolation,
    violations: 1,
    examples: [String(rows)],
    message,
  });
  return [
    ...(rule.min !== undefined && rows < rule.min
      ? [finding('min', `there are ${rows} rows, fewer than ${rule.min}`)]
      : []),
    ...(rule.max !== undefined && rows > rule.max
      ? [finding('max', `there are ${rows} rows, more than ${rule.max}`)]
      : []),
  ];
};

/** `newest` and `now` in milliseconds since the epoch; `newest` is missing when the column holds no value. */
export const freshnessFindings = (
  contract: Contract,
  newest: number | undefined,
  now: number,
): ContractFinding[] => {
  const rule = contract.freshness;
  if (rule === undefined) return [];
  const ageDays = newest === undefined ? Number.POSITIVE_INFINITY : (now - newest) / 86_400_000;
  if (ageDays * 86_400_000 <= rule.max_age) return [];
  const shown = newest === undefined ? 'missing' : new Date(newest).toISOString();
  return [
    {
      rule: 'freshness',
      onViolation: datasetReactionOf(rule.on_violation, contract),
      violations: 1,
      examples: [shown],
      message: `the newest "${rule.column}" is ${shown}, older than ${(rule.max_age / 86_400_000).toFixed(2)} days`,
    },
  ];
};
