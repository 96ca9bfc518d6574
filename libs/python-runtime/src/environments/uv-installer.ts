import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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

/** Resolves and installs with uv. */
export const uvInstaller = (uv: string): Installer => ({
  name: 'uv',
  uv,
  resolve: (request, options) => resolve(uv, request, options),
  build: (request, options) => build(uv, request, options),
  buildWheel: (request, options) => buildWheel(uv, request, options),
});

const resolve = async (
  uv: string,
  { interpreter, requirements, constraints, directory }: ResolveRequest,
  options: CommandOptions,
): Promise<{ lock: string } | Refusal> => {
  const input = await writeLines(directory, 'requirements.in', requirements.filter(isKnownToUv));
  const constraint = await writeLines(directory, 'constraints.txt', constraints);
  const args = ['--python', interpreter.path, '--no-header', '--no-annotate'];
  if (constraints.length > 0) args.push('--constraint', constraint);
  args.push(...requirements.flatMap(argumentsOf));
  // What it says on its way is not for the user: a conflict may be one that preferences give way to.
  const quiet = { cwd: directory, ...options, onLine: () => {} };
  const result = await runCommand(uv, ['pip', 'compile', input, ...args], quiet);
  return result.code === 0 ? { lock: result.stdout } : refusalOf(result.stderr, plainReason(result.stderr));
};

/** Lines that tell what is done; the output of failing builds is in the error. */
const progress = /^\s*(?:Downloading|Downloaded|Building|Built|Prepared|Installed) /;

const build = async (
  uv: string,
  { interpreter, lock, options: sources, target, directory }: BuildRequest,
  options: CommandOptions,
): Promise<Refusal | undefined> => {
  const made = await runCommand(
    uv,
    ['venv', '--quiet', '--no-project', '--python', interpreter.path, target],
    {
      cwd: directory,
      ...options,
    },
  );
  if (made.code !== 0) return refusalOf(made.stderr, plainReason(made.stderr));
  const file = await writeLines(directory, 'lock.txt', [...sources.filter(isKnownToUv), lock]);
  const python = join(target, 'bin', 'python');
  const args = ['--python', python, '--no-deps', '--requirement', file, ...sources.flatMap(argumentsOf)];
  const onLine = (line: string) => {
    if (progress.test(line)) options.onLine?.(line.trim());
  };
  const installed = await runCommand(uv, ['pip', 'install', ...args], { cwd: directory, ...options, onLine });
  return installed.code === 0 ? undefined : refusalOf(installed.stderr, plainReason(installed.stderr));
};

const buildWheel = async (
  uv: string,
  { interpreter, source, options: sources, target, directory }: WheelRequest,
  options: CommandOptions,
): Promise<Refusal | undefined> => {
  // Its own table of sources could name paths that are not the project's.
  const args = ['--wheel', '--no-sources', '--python', interpreter.path, '--out-dir', target];
  const built = await runCommand(uv, ['build', source, ...args, ...indexArguments(sources)], {
    cwd: directory,
    ...options,
    onLine: () => {},
  });
  // Its own last word names but the directory of the build.
  const reason = lastError(built.stderr.replace(/^error: Failed to build .*$/m, ''));
  return built.code === 0 ? undefined : refusalOf(built.stderr, reason);
};

/** uv takes these options of pip's files only as arguments, under names of its own. */
const isKnownToUv = (line: string): boolean => argumentsOf(line).length === 0;

const argumentsOf = (line: string): string[] => {
  if (line === '--pre') return ['--prerelease', 'allow'];
  const host = /^--trusted-host(?:\s+|=)(\S+)$/.exec(line)?.[1];
  return host === undefined ? [] : ['--allow-insecure-host', host];
};

export const writeLines = async (
  directory: string,
  name: string,
  lines: readonly string[],
): Promise<string> => {
  const path = join(directory, name);
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
};

/** uv's explanation without its frame, arrows and hints, as one line. */
export const plainReason = (stderr: string): string => {
  const built = /Failed to build `([^`]+)`/.exec(stderr)?.[1];
  if (built !== undefined) return `\`${built}\` could not be built: ${lastError(stderr)}`;
  const lines = stderr
    .split('\n')
    // Warnings and progress come before it.
    .filter((line) => /^\s*[×╰├│▶]|^error:|^\s{2,}/.test(line));
  const text = lines
    .map((line) => line.replace(/^[\s×╰├│─▶┬]*(?:error:|cause:)?\s*/, '').trim())
    .filter(Boolean)
    .join(' ')
    .replace(/\s*hint: .*$/s, '')
    .replace(/^No solution found when resolving dependencies:?\s*/, '');
  return text === '' ? stderr.trim().slice(-500) : text;
};

/** The last line of a build's output that tells an error: what comes after it are remarks of uv's. */
const lastError = (stderr: string): string => {
  const lines = stderr.split('\n').map((line) => line.trim());
  return (
    lines.findLast((line) => /^(?:[\w.]*(?:Error|Exception)|error|fatal error):? ./.test(line)) ??
    'its build failed'
  );
};
