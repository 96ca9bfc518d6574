/**
 * `npm test`: every test, from the cheapest level up. Arguments narrow it: `npm test -- unit`, `npm test -- libs/bus`.
 * Files with a failure are run once more, alone: what passes then was disturbed by what ran beside it, and is listed,
 * so that it is not forgotten. Ends with one line, `N passed, N failed, N skipped`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { locateNatsServer } from '@millrace/broker';

const levels = ['unit', 'int', 'system'] as const;
const root = join(import.meta.dirname, '..');

interface JsonReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    /** Why the file as a whole failed. */
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

const firstLine = (text: string | undefined): string =>
  stripVTControlCharacters(text ?? '').split('\n')[0] ?? '';

/** `file > test: first line of its error`, for each failed test and each file that failed as a whole. */
const failuresOf = ({ testResults }: JsonReport): readonly string[] =>
  testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(root, name);
    const failed = assertionResults
      .filter((test) => test.status === 'failed')
      .map(({ fullName, failureMessages }) => `${file} > ${fullName}: ${firstLine(failureMessages[0])}`);
    if (failed.length > 0 || status !== 'failed') return failed;
    return [`${file}: ${firstLine(message)}`];
  });

const args = process.argv.slice(2);
const wanted = levels.filter((level) => args.includes(level));
const filters = args.filter((arg) => !levels.includes(arg as (typeof levels)[number]));

// The broker is found or built once, here, with its progress shown, and not by the first test that needs it.
if (wanted.length !== 1 || wanted[0] !== 'unit') {
  await locateNatsServer({ onProgress: ({ message }) => process.stdout.write(`${message}\n`) });
}

const directory = mkdtempSync(join(tmpdir(), 'millrace-test-'));

/** Runs the specs of a level that match, and reads what came of them. */
const runLevel = (level: string, name: string, more: readonly string[]): JsonReport => {
  const report = join(directory, `${name}.json`);
  const { status } = spawnSync(
    'vitest',
    [
      'run',
      '--project',
      level,
      '--reporter',
      'default',
      '--reporter',
      'json',
      `--outputFile.json=${report}`,
      '--passWithNoTests',
      ...more,
    ],
    { cwd: root, stdio: 'inherit' },
  );
  const result = JSON.parse(readFileSync(report, 'utf8')) as JsonReport;
  // A file that cannot be loaded fails without a failed test.
  return { ...result, success: result.success && status === 0 };
};

const failedFiles = ({ testResults }: JsonReport): readonly string[] =>
  testResults.filter(({ status }) => status === 'failed').map(({ name }) => relative(root, name));

/** The first report with the files that ran again in place of their first try. */
const merged = (first: JsonReport, second: JsonReport): JsonReport => {
  const again = new Set(second.testResults.map(({ name }) => name));
  const testResults = [...first.testResults.filter(({ name }) => !again.has(name)), ...second.testResults];
  const count = (...wanted: string[]) =>
    testResults.reduce(
      (sum, file) => sum + file.assertionResults.filter(({ status }) => wanted.includes(status)).length,
      0,
    );
  return {
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    numPendingTests: count('pending', 'skipped'),
    numTodoTests: count('todo'),
    success: second.success && testResults.every(({ status }) => status !== 'failed'),
    testResults,
  };
};

const total = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];
const disturbed: string[] = [];
let broken = false;
for (const level of wanted.length === 0 ? levels : wanted) {
  process.stdout.write(`\n== ${level} tests\n`);
  let result = runLevel(level, level, filters);
  const repeated = failedFiles(result);
  if (repeated.length > 0) {
    process.stdout.write(`\n== ${level} tests, once more and alone: ${repeated.join(', ')}\n`);
    const first = failuresOf(result);
    result = merged(result, runLevel(level, `${level}-again`, ['--maxWorkers=1', ...repeated]));
    const still = failuresOf(result).map((line) => line.split(': ')[0]);
    disturbed.push(...first.filter((line) => !still.includes(line.split(': ')[0])));
  }
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, success } = result;
  failures.push(...failuresOf(result));
  total.passed += numPassedTests;
  total.failed += numFailedTests;
  total.skipped += numPendingTests + numTodoTests;
  broken ||= !success;
}
rmSync(directory, { recursive: true, force: true });
const list = (title: string, lines: readonly string[]): void => {
  if (lines.length > 0) process.stdout.write(`\n${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`);
};
// Said again at the end: what failed early is far up in a long output.
list('Failed at first, passed alone', disturbed);
list('Failed', failures);
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = broken || total.failed > 0 ? 1 : 0;
