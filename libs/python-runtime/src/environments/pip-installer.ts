import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FailedPrecondition } from '@millrace/errors';
import { type CommandOptions, runCommand } from './command.ts';
import {
  type BuildRequest,
  type Installer,
  indexArguments,
  type Refusal,
  type ResolveRequest,
  type WheelRequest,
} from './installer.ts';
import { refusalOf } from './refusal.ts';
import { writeLines } from './uv-installer.ts';

/** Resolves and installs with Python's own venv and pip, where uv is not to be had. */
export const pipInstaller: Installer = {
  name: 'pip',
  resolve: (request, options) => resolve(request, options),
  build: (request, options) => build(request, options),
  buildWheel: (request, options) => buildWheel(request, options),
};

interface Report {
  readonly install: readonly {
    readonly metadata: { readonly name: string; readonly version: string };
    readonly download_info: { readonly url: string };
  }[];
}

const resolve = async (
  { interpreter, requirements, constraints, directory }: ResolveRequest,
  options: CommandOptions,
): Promise<{ lock: string } | Refusal> => {
  const input = await writeLines(directory, 'requirements.in', requirements.map(withoutHash));
  const constraint = await writeLines(directory, 'constraints.txt', constraints);
  const python = await makeVenv(interpreter.path, join(directory, 'resolver'), directory, options);
  const args = ['--dry-run', '--quiet', '--report', '-', '--requirement', input, '--constraint', constraint];
  const result = await runCommand(python, ['-m', 'pip', 'install', ...args], { cwd: directory, ...options });
  if (result.code !== 0) return refusalOf(result.stderr, reasonOf(result.stderr));
  const { install } = JSON.parse(result.stdout) as Report;
  const lines = install.map(({ metadata: { name, version }, download_info: { url } }) =>
    url.startsWith('file:') && requirements.some((line) => line.endsWith(` @ ${url}`))
      ? `${name} @ ${url}`
      : `${name}==${version}`,
  );
  return { lock: lines.join('\n') };
};

const build = async (
  { interpreter, lock, options: sources, target, directory }: BuildRequest,
  options: CommandOptions,
): Promise<Refusal | undefined> => {
  const python = await makeVenv(interpreter.path, target, directory, options);
  const file = await writeLines(directory, 'lock.txt', [...sources, withoutHash(lock)]);
  const args = [
    '--no-deps',
    '--no-compile',
    '--no-input',
    '--disable-pip-version-check',
    '--requirement',
    file,
  ];
  const installed = await runCommand(python, ['-m', 'pip', 'install', ...args], {
    cwd: directory,
    ...options,
  });
  return installed.code === 0 ? undefined : refusalOf(installed.stderr, reasonOf(installed.stderr));
};

const buildWheel = async (
  { interpreter, source, options: sources, target, directory }: WheelRequest,
  options: CommandOptions,
): Promise<Refusal | undefined> => {
  const python = await makeVenv(interpreter.path, join(directory, 'builder'), directory, options);
  const args = ['--no-deps', '--no-input', '--disable-pip-version-check', '--wheel-dir', target];
  const built = await runCommand(
    python,
    ['-m', 'pip', 'wheel', ...args, ...indexArguments(sources), source],
    {
      cwd: directory,
      ...options,
      onLine: () => {},
    },
  );
  return built.code === 0 ? undefined : refusalOf(built.stderr, reasonOf(built.stderr));
};

const makeVenv = async (
  interpreter: string,
  target: string,
  cwd: string,
  options: CommandOptions,
): Promise<string> => {
  const python = join(target, 'bin', 'python');
  // Attempts to resolve follow one another.
  if (existsSync(python)) return python;
  const made = await runCommand(interpreter, ['-m', 'venv', target], { cwd, ...options });
  if (made.code !== 0) {
    throw new FailedPrecondition(
      `${interpreter} makes no virtual environment: ${lastLine(made.stdout + made.stderr)}`,
      {
        hint: 'Install uv, or the venv module of that Python (python3-venv).',
      },
    );
  }
  return python;
};

const reasonOf = (stderr: string): string => {
  const errors = stderr.split('\n').flatMap((line) => /^ERROR: (.*)/.exec(line)?.[1] ?? []);
  return errors.join(' ') || lastLine(stderr);
};

/** One hash in a file makes pip demand them of every package, Millrace's own needs too: they are left to uv. */
const withoutHash = (line: string): string => line.replace(/\s+--hash[=\s]\S+/g, '');

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';
