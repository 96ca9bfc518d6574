import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { FailedPrecondition, Invalid } from '@millrace/errors';
import { runCommand } from './command.ts';
import { accepts, compareVersions, minorOf, parseSpecifiers, type Specifier } from './python-version.ts';

/** A Python that environments can be made of. */
export interface Interpreter {
  /** Absolute path of the interpreter itself, not of a shim or a virtual environment's link. */
  readonly path: string;
  /** `3.11.7` */
  readonly version: string;
  /** As Python names its platform: `linux-x86_64`. */
  readonly platform: string;
}

export interface FoundInterpreter extends Interpreter {
  /** Set when it is another version than the one wanted. */
  readonly warning?: string;
}

/** Oldest Python that Millrace's own code runs on. */
const oldest = '3.9';
/** Minor versions that are looked for on PATH, newest first. */
const minors = ['3.14', '3.13', '3.12', '3.11', '3.10', '3.9'];

const probe = `
import json, sys, sysconfig
executable = getattr(sys, "_base_executable", None) or sys.executable
print(json.dumps({"path": executable, "version": ".".join(map(str, sys.version_info[:3])),
  "platform": sysconfig.get_platform(), "implementation": sys.implementation.name}))
`;

/**
 * Finds a Python of the wanted version (`3.11`, or specifiers such as `>=3.9,<3.12`; any when undefined): the one that
 * MILLRACE_PYTHON names, else on PATH, in pyenv's directory, by uv, or downloaded by uv. When there is none, the one that is
 * there, with a warning. Throws `FailedPrecondition` when there is no Python from 3.9 on at all.
 */
export const findInterpreter = async (
  wanted: string | undefined,
  options: { readonly uv?: string; readonly env?: NodeJS.ProcessEnv; readonly signal?: AbortSignal } = {},
): Promise<FoundInterpreter> => {
  const env = options.env ?? process.env;
  const override = env.MILLRACE_PYTHON || undefined;
  if (override?.includes('/')) return overriding(override, wanted);
  const asked = override ?? wanted;
  const specifiers = asked === undefined ? [] : parseSpecifiers(asked);
  const fitting = await firstFitting(specifiers, candidatesOf(specifiers, env));
  if (fitting !== undefined) return fitting;
  const byUv = asked === undefined ? undefined : await fromUv(asked, options.uv, options.signal);
  if (byUv !== undefined) return byUv;
  const any = await firstFitting([], candidatesOf([], env));
  if (any === undefined) {
    throw new FailedPrecondition('there is no Python 3.9 or newer on this machine', {
      hint: 'Install Python, put it on PATH, or set MILLRACE_PYTHON to its path.',
    });
  }
  return {
    ...any,
    warning: `Python ${asked} is wanted but not on this machine: Python ${any.version} is used instead, and results may differ. Once it is installed: \`millrace env build --refresh\`.`,
  };
};

const overriding = async (path: string, wanted: string | undefined): Promise<FoundInterpreter> => {
  const found = await probed(path);
  if (found === undefined) {
    throw Invalid.field('MILLRACE_PYTHON', `${path} is no Python 3.9 or newer`, {
      hint: 'Set it to the path of an interpreter or to a version such as 3.11.',
    });
  }
  if (wanted === undefined || accepts(parseSpecifiers(wanted), found.version)) return found;
  return {
    ...found,
    warning: `Python ${wanted} is wanted, but MILLRACE_PYTHON names Python ${found.version}: that is used.`,
  };
};

const firstFitting = async (
  specifiers: readonly Specifier[],
  candidates: AsyncIterable<string>,
): Promise<Interpreter | undefined> => {
  const tried = new Set<string>();
  for await (const candidate of candidates) {
    if (tried.has(candidate)) continue;
    tried.add(candidate);
    const found = await probed(candidate);
    if (found !== undefined && accepts(specifiers, found.version)) return found;
  }
  return undefined;
};

/** Paths where a fitting Python may be, the likeliest first. */
async function* candidatesOf(
  specifiers: readonly Specifier[],
  env: NodeJS.ProcessEnv,
): AsyncGenerator<string> {
  const directories = (env.PATH ?? '').split(delimiter).filter((directory) => directory.startsWith('/'));
  const onPath = (name: string) => directories.map((directory) => join(directory, name));
  yield* onPath('python3');
  const fitting = minors.filter((minor) => specifiers.length === 0 || couldAccept(specifiers, minor));
  for (const minor of fitting) yield* onPath(`python${minor}`);
  const root = env.PYENV_ROOT || join(env.HOME || homedir(), '.pyenv');
  const versions = await readdir(join(root, 'versions')).catch(() => [] as string[]);
  for (const version of versions
    .filter((name) => /^3\.\d+\.\d+$/.test(name))
    .sort(compareVersions)
    .reverse()) {
    if (accepts(specifiers, version)) yield join(root, 'versions', version, 'bin', 'python3');
  }
}

/** Whether some patch release of a minor version may satisfy them. */
const couldAccept = (specifiers: readonly Specifier[], minor: string): boolean =>
  accepts(specifiers, `${minor}.0`) ||
  accepts(specifiers, `${minor}.99`) ||
  specifiers.some(({ version }) => minorOf(version) === minor);

const probed = async (path: string): Promise<Interpreter | undefined> => {
  const { code, stdout } = await runCommand(path, ['-I', '-c', probe]).catch(() => ({ code: 1, stdout: '' }));
  if (code !== 0) return undefined;
  const { implementation, ...found } = JSON.parse(stdout) as Interpreter & { implementation: string };
  const isUsable = implementation === 'cpython' && compareVersions(found.version, oldest) >= 0;
  return isUsable ? found : undefined;
};

/** What uv knows of, or downloads. */
const fromUv = async (
  asked: string,
  uv: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Interpreter | undefined> => {
  if (uv === undefined) return undefined;
  const options = signal === undefined ? {} : { signal };
  const find = () => runCommand(uv, ['python', 'find', '--no-project', asked], options);
  let found = await find();
  if (found.code !== 0) {
    const installed = await runCommand(uv, ['python', 'install', asked], options);
    if (installed.code !== 0) return undefined;
    found = await find();
  }
  return found.code === 0 ? probed(found.stdout.trim()) : undefined;
};
