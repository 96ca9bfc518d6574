import { Invalid } from '@millrace/errors';
import {
  type ColumnSchema,
  type ColumnType,
  compileCondition,
  parseTimestamp,
  quoteIdentifier,
  quoteNumber,
  quoteText,
} from '@millrace/tabular';
import { type ColumnContract, type Contract, type OnViolation, reactionOf } from './contract.ts';

type RuleKey = 'type' | 'nullable' | 'min' | 'max' | 'allowed' | 'pattern' | 'unique';

/** A rule that each row keeps or breaks. Its SQL reads the table that `CheckedColumn` speaks of. */
export interface RowRule {
  /** `columns.dep_delay.max` */
  readonly rule: string;
  readonly onViolation: OnViolation;
  /** Whether a row breaks it; never missing. */
  readonly violated: string;
  /** What a person is shown of an offending row, as text. */
  readonly example: string;
  /** Continues «3 rows»: `have dep_delay above 100`. */
  readonly fault: string;
}

/**
 * A column as it was read and as the contract wants it. In the table that is checked, the column's own name holds the
 * value in the declared type, missing where it cannot be that.
 */
export interface CheckedColumn {
  readonly name: string;
  readonly found: ColumnType;
  readonly declared: ColumnType;
  /** Name of the column with the value as read. */
  readonly rawName: string;
}

export const contractPath = 'steps.ingest.contract';

/**
 * The contract's rules on rows. `rowNumber` is the quoted name of the column that numbers them. Throws `Invalid` for a
 * rule that does not fit its column.
 */
export const rowRules = (
  contract: Contract,
  columns: readonly CheckedColumn[],
  rowNumber: string,
): RowRule[] => [
  ...columns.flatMap((column) => {
    const rules = contract.columns[column.name];
    return rules === undefined ? [] : columnRules(contract, rules, column, rowNumber);
  }),
  ...constraintRules(contract, columns),
];

const columnRules = (
  contract: Contract,
  rules: ColumnContract,
  column: CheckedColumn,
  rowNumber: string,
): RowRule[] => {
  const { name, declared } = column;
  const raw = quoteIdentifier(column.rawName);
  const value = quoteIdentifier(name);
  const path = `columns.${name}`;
  const found: RowRule[] = [];
  const add = (key: RuleKey, violated: string, fault: string) =>
    found.push({
      rule: `${path}.${key}`,
      onViolation: reactionOf(rules[key], rules, contract),
      violated: `coalesce(${violated}, false)`,
      example: `${raw}::VARCHAR`,
      fault,
    });

  if (declared !== column.found) {
    add(
      'type',
      `${raw} IS NOT NULL AND ${value} IS NULL`,
      `have a value of "${name}" that is no ${declared}`,
    );
  }
  if (rules.nullable?.value === false) add('nullable', `${raw} IS NULL`, `lack "${name}"`);
  for (const [key, operator, fault] of [
    ['min', '<', 'below'],
    ['max', '>', 'above'],
  ] as const) {
    const bound = rules[key]?.value;
    if (bound === undefined) continue;
    add(key, `${value} ${operator} ${limitSql(bound, column, key)}`, `have "${name}" ${fault} ${bound}`);
  }
  const allowed = rules.allowed?.value;
  if (allowed !== undefined) {
    const list = allowed.map((one) => literalSql(one, column)).join(', ');
    add('allowed', `${value} NOT IN (${list})`, `have a value of "${name}" that is not allowed`);
  }
  const pattern = rules.pattern?.value;
  if (pattern !== undefined) {
    requireType(column, 'pattern', ['string']);
    const matches = `regexp_full_match(${value}, ${quoteText(pattern)})`;
    add('pattern', `NOT ${matches}`, `have "${name}" not matching ${pattern}`);
  }
  if (rules.unique?.value === true) {
    const repeats = `row_number() OVER (PARTITION BY ${value} ORDER BY ${rowNumber}) > 1`;
    add('unique', `${value} IS NOT NULL AND ${repeats}`, `repeat an earlier value of "${name}"`);
  }
  return found;
};

const constraintRules = (contract: Contract, columns: readonly CheckedColumn[]): RowRule[] => {
  const schema: ColumnSchema[] = columns.map(({ name, declared }) => ({
    name,
    type: declared,
    nullable: true,
  }));
  return contract.constraints.map((constraint, index) => {
    const path = `constraints[${index}]`;
    const condition = compileCondition(constraint.expression, schema, `${contractPath}.${path}.expression`);
    const shown = condition.columns.map(
      (name) => `${quoteText(`${name}=`)}, ${quoteIdentifier(name)}::VARCHAR`,
    );
    return {
      rule: constraint.name === undefined ? path : `constraints.${constraint.name}`,
      onViolation: constraint.on_violation ?? contract.on_violation,
      violated: `coalesce(NOT ${condition.sql}, false)`,
      example: shown.length === 0 ? `''` : `concat(${shown.join(", ', ', ")})`,
      fault: `break \`${constraint.expression}\``,
    };
  });
};

const limitSql = (bound: number | string, column: CheckedColumn, key: 'min' | 'max'): string => {
  requireType(column, key, ['number', 'integer', 'timestamp']);
  return literalSql(bound, column);
};

/** A constant of the contract in the column's declared type. */
const literalSql = (constant: string | number | boolean, { name, declared }: CheckedColumn): string => {
  if (declared === 'string') return quoteText(String(constant));
  if (declared === 'timestamp' && typeof constant === 'string') {
    const time = parseTimestamp(constant);
    if (time !== undefined) return `make_timestamp(${Math.round(time * 1000)})`;
  }
  if (declared === 'boolean' && typeof constant === 'boolean') return String(constant);
  if ((declared === 'number' || declared === 'integer') && typeof constant === 'number')
    return quoteNumber(constant);
  throw Invalid.field(`${contractPath}.columns.${name}`, `${JSON.stringify(constant)} is no ${declared}`);
};

const requireType = ({ name, declared }: CheckedColumn, key: string, types: readonly ColumnType[]): void => {
  if (types.includes(declared)) return;
  throw Invalid.field(
    `${contractPath}.columns.${name}.${key}`,
    `applies to ${types.join(' and ')} columns, but the column is ${declared}`,
  );
};
