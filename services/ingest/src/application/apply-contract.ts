import { Invalid, MillraceError } from '@millrace/errors';
import {
  type ColumnSchema,
  type ColumnType,
  convertedSql,
  type DuckDb,
  quoteIdentifier,
  quoteText,
  type Relation,
  relationOf,
} from '@millrace/tabular';
import { type Contract, OnViolation } from '../domain/contract.ts';
import { freshnessFindings, missingColumns, rowCountFindings } from '../domain/dataset-rules.ts';
import type { ContractFinding } from '../domain/dataset-version.ts';
import { type CheckedColumn, contractPath, type RowRule, rowRules } from '../domain/row-rules.ts';

/** What the contract made of the rows. */
export interface CheckedData {
  readonly findings: readonly ContractFinding[];
  /** The rows that go on, in the declared types. */
  readonly kept: Relation;
  readonly quarantinedRows: number;
  /** Query of the rows set aside: as read, with a column `violated_rules`. */
  readonly quarantine: string;
}

const maxExamples = 5;

/** Checks a relation against the contract and divides its rows. `now` is in milliseconds since the epoch. */
export const applyContract = async (
  duck: DuckDb,
  read: Relation,
  contract: Contract,
  now: number,
): Promise<CheckedData> => {
  await requirePatterns(duck, contract);
  const checked = await prepare(duck, read, contract);
  const rules = rowRules(contract, checked.columns, rowNumberOf(checked.mark));
  const flags = await flagRows(duck, checked, rules);
  const findings = [
    ...missingColumns(
      contract,
      read.columns.map(({ name }) => name),
    ),
    ...rowCountFindings(contract, read.rowCount),
    ...freshnessFindings(contract, await newestTime(duck, checked, contract), now),
    ...(await rowFindings(duck, checked, flags, read.rowCount)),
  ];
  const setAside = flags.filter(({ rule }) => rule.onViolation === OnViolation.quarantine);
  const kept = await keep(duck, checked, setAside);
  return {
    findings,
    kept,
    quarantinedRows: read.rowCount - kept.rowCount,
    quarantine: quarantineQuery(checked, setAside),
  };
};

/** The rows in a table with a number each, every column as declared and as read. */
interface Checked {
  readonly columns: readonly CheckedColumn[];
  /** No column of the data begins with it, so all names of our own do. */
  readonly mark: string;
}

const checkedTable = 'checked';
const flagTable = 'flags';

const prepare = async (duck: DuckDb, read: Relation, contract: Contract): Promise<Checked> => {
  let mark = '#';
  while (read.columns.some(({ name }) => name.startsWith(mark))) mark += '#';
  const columns = read.columns.map(({ name, type }, index) => ({
    name,
    found: type,
    declared: declaredType(contract, name) ?? type,
    rawName: `${mark}${index}`,
  }));
  const select = columns.flatMap(({ name, found, declared, rawName }) => {
    const column = quoteIdentifier(name);
    return [
      `${column} AS ${quoteIdentifier(rawName)}`,
      `${convertedSql(column, found, declared)} AS ${column}`,
    ];
  });
  await duck.run(
    `CREATE TEMP TABLE ${checkedTable} AS
     SELECT row_number() OVER () AS ${rowNumberOf(mark)}, ${select.join(', ')} FROM ${read.source}`,
  );
  return { columns, mark };
};

const rowNumberOf = (mark: string): string => quoteIdentifier(`${mark}row`);

/** Both tables, row by row. As a subquery the second one has no `rowid`, which a column may be called. */
const flagged = (mark: string): string =>
  `${checkedTable} JOIN (SELECT * FROM ${flagTable}) ON ${rowNumberOf(mark)} = ${flagRowOf(mark)}`;

const flagRowOf = (mark: string): string => quoteIdentifier(`${mark}flagged row`);

const declaredType = (contract: Contract, name: string): ColumnType | undefined =>
  Object.hasOwn(contract.columns, name) ? contract.columns[name]?.type?.value : undefined;

/** Patterns are the only part of a rule that the engine itself must understand. */
const requirePatterns = async (duck: DuckDb, contract: Contract): Promise<void> => {
  for (const [name, rules] of Object.entries(contract.columns)) {
    const pattern = rules.pattern?.value;
    if (pattern === undefined) continue;
    await duck.run(`SELECT regexp_full_match('', ${quoteText(pattern)})`).catch((error: unknown) => {
      if (error instanceof MillraceError) throw error;
      throw Invalid.field(`${contractPath}.columns.${name}.pattern`, `${pattern} is no regular expression`, {
        cause: error,
        hint: 'Patterns follow the RE2 syntax, without look-around and back-references.',
      });
    });
  }
};

interface Flag {
  readonly rule: RowRule;
  /** Column of the flag table, quoted. */
  readonly column: string;
}

const flagRows = async (duck: DuckDb, { mark }: Checked, rules: readonly RowRule[]): Promise<Flag[]> => {
  const flags = rules.map((rule, index) => ({ rule, column: quoteIdentifier(`${mark}v${index}`) }));
  const select = flags.map(({ rule, column }) => `${rule.violated} AS ${column}`);
  await duck.run(
    `CREATE TEMP TABLE ${flagTable} AS
     SELECT ${[`${rowNumberOf(mark)} AS ${flagRowOf(mark)}`, ...select].join(', ')} FROM ${checkedTable}`,
  );
  return flags;
};

const rowFindings = async (
  duck: DuckDb,
  { mark }: Checked,
  flags: readonly Flag[],
  rows: number,
): Promise<ContractFinding[]> => {
  if (flags.length === 0) return [];
  const counts = await duck.row(
    `SELECT ${flags.map(({ column }, index) => `count(*) FILTER (WHERE ${column}) AS c${index}`).join(', ')} FROM ${flagTable}`,
  );
  const findings: ContractFinding[] = [];
  for (const [index, { rule, column }] of flags.entries()) {
    const violations = Number(counts[`c${index}`]);
    if (violations === 0) continue;
    const found = await duck.rows(
      `SELECT DISTINCT left(${rule.example}, 100) AS example
       FROM ${flagged(mark)} WHERE ${column} AND ${rule.example} IS NOT NULL ORDER BY example LIMIT ${maxExamples}`,
    );
    const examples = found.map(({ example }) => String(example));
    const shown = examples.length === 0 ? '' : `, for instance ${examples.join('; ')}`;
    findings.push({
      rule: rule.rule,
      onViolation: rule.onViolation,
      violations,
      examples,
      message: `${violations} of ${rows} rows ${rule.fault}${shown}`,
    });
  }
  return findings;
};

/** Milliseconds since the epoch. */
const newestTime = async (
  duck: DuckDb,
  { columns }: Checked,
  { freshness }: Contract,
): Promise<number | undefined> => {
  if (freshness === undefined) return undefined;
  const path = `${contractPath}.freshness.column`;
  const column = columns.find(({ name }) => name === freshness.column);
  if (column === undefined) throw Invalid.field(path, `the data has no column "${freshness.column}"`);
  if (column.declared !== 'timestamp') {
    throw Invalid.field(path, `"${column.name}" is ${column.declared}, but must be a timestamp`);
  }
  const { newest } = await duck.row(
    `SELECT epoch_ms(max(${quoteIdentifier(column.name)}))::DOUBLE AS newest FROM ${checkedTable}`,
  );
  return newest === null ? undefined : Number(newest);
};

const anyOf = (flags: readonly Flag[]): string =>
  flags.length === 0 ? 'false' : `(${flags.map(({ column }) => column).join(' OR ')})`;

const keep = async (duck: DuckDb, checked: Checked, setAside: readonly Flag[]): Promise<Relation> => {
  const { columns, mark } = checked;
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  await duck.run(
    `CREATE TEMP TABLE kept AS SELECT ${names} FROM ${flagged(mark)}
     WHERE NOT ${anyOf(setAside)} ORDER BY ${rowNumberOf(mark)}`,
  );
  const schema: Pick<ColumnSchema, 'name' | 'type'>[] = columns.map(({ name, declared }) => ({
    name,
    type: declared,
  }));
  return relationOf(duck, 'kept', schema);
};

const quarantineQuery = ({ columns, mark }: Checked, setAside: readonly Flag[]): string => {
  const raw = columns.map(({ name, rawName }) => `${quoteIdentifier(rawName)} AS ${quoteIdentifier(name)}`);
  const codes = setAside.map(({ rule, column }) => `CASE WHEN ${column} THEN ${quoteText(rule.rule)} END`);
  const reasons = `concat_ws('; ', ${['NULL', ...codes].join(', ')})`;
  const reasonsName = columns.some(({ name }) => name.toLowerCase() === 'violated_rules')
    ? `${mark}violated_rules`
    : 'violated_rules';
  return `SELECT ${raw.join(', ')}, ${reasons} AS ${quoteIdentifier(reasonsName)}
    FROM ${flagged(mark)} WHERE ${anyOf(setAside)} ORDER BY ${rowNumberOf(mark)}`;
};
