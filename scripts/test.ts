/**
 * `npm test`: every test, from the cheapest level up. Arguments narrow it: `npm test -- unit`, `npm test -- libs/bus`.
 * Ends with one line, `N passed, N failed, N skipped`.
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
const total = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];
let broken = false;
for (const level of wanted.length === 0 ? levels : wanted) {
  process.stdout.write(`\n== ${level} tests\n`);
  const report = join(directory, `${level}.json`);
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
      ...filters,
    ],
    { cwd: root, stdio: 'inherit' },
  );
  const result = JSON.parse(readFileSync(report, 'utf8')) as JsonReport;
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, success } = result;
  failures.push(...failuresOf(result));
  total.passed += numPassedTests;
  total.failed += numFailedTests;
  total.skipped += numPendingTests + numTodoTests;
  // A file that cannot be loaded fails without a failed test.
  broken ||= status !== 0 || !success;
}
rmSync(directory, { recursive: true, force: true });
// Said again at the end: what failed early is far up in a long output.
if (failures.length > 0) process.stdout.write(`\nFailed:\n${failures.map((line) => `  ${line}\n`).join('')}`);
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = broken || total.failed > 0 ? 1 : 0;
