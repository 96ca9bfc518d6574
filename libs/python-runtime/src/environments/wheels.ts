import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { Internal, Invalid } from '@millrace/errors';
import type { EnvironmentSpec, LocalPackage } from '../contract.ts';
import { type CommandOptions, runCommand, toolEnvironment } from './command.ts';
import type { Installer } from './installer.ts';
import type { Interpreter } from './interpreter.ts';
import { outsideProject } from './local-package.ts';
import { normalizedName } from './requirement-name.ts';

/** Directory of wheels below that of a build, an environment and a model package; locks name them by it. */
export const wheelsDirectory = 'wheels';
/** They go with every run's record and model package. */
const maxWheelBytes = 16 * 1024 * 1024;

/** A package of the project's own as it is installed. */
export interface Wheel {
  /** Absolute path. */
  readonly file: string;
  readonly name: string;
  readonly extras: string;
  /** Where it is required, for errors. */
  readonly place: string;
  /** `sha256:<hex>` of its bytes. */
  readonly digest: string;
}

export interface WheelTools {
  readonly installer: Installer;
  readonly interpreter: Interpreter;
  /** Empty directory to work in; the wheels come into `wheels` below it. */
  readonly directory: string;
}

/** Digest of the files of the project's own packages: what they are known by. */
export const contentOf = async (root: string | undefined, { path, files }: LocalPackage): Promise<string> => {
  const hash = createHash('sha256').update(path);
  for (const file of files) {
    const bytes = await readFile(await contained(root, file, path));
    hash.update(`\n${file} ${bytes.length}\n`).update(bytes);
  }
  return `sha256:${hash.digest('hex')}`;
};

/** Makes the wheels of a spec: those that were built before, and the others from copies of their files. */
export const makeWheels = async (
  spec: EnvironmentSpec,
  tools: WheelTools,
  options: CommandOptions,
): Promise<Wheel[]> => {
  const directory = join(tools.directory, wheelsDirectory);
  await mkdir(directory);
  const wheels: Wheel[] = [];
  for (const [name, content] of Object.entries(spec.wheels ?? {})) {
    // A name out of a record: never a path.
    const file = join(directory, basename(name));
    await writeFile(file, Buffer.from(content, 'base64'));
    wheels.push(await described(file, { extras: '', place: spec.source ?? 'the lock' }, tools.interpreter));
  }
  for (const [index, local] of (spec.localPackages ?? []).entries()) {
    options.onLine?.(`building ${local.path}`);
    const source = join(tools.directory, `source-${index}`);
    const file = await wheelOf(spec, local, source, tools, options);
    const target = join(directory, basename(file));
    await copyFile(file, target);
    wheels.push(await described(target, local, tools.interpreter));
  }
  return wheels;
};

/** The wheel itself, or what is built of a directory or a source archive. */
const wheelOf = async (
  spec: EnvironmentSpec,
  local: LocalPackage,
  directory: string,
  { installer, interpreter }: WheelTools,
  options: CommandOptions,
): Promise<string> => {
  const copy = join(directory, 'project');
  for (const file of local.files) {
    const target = join(copy, file);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(await contained(spec.projectRoot, file, local.path), target);
  }
  const source = join(copy, local.path);
  if (source.endsWith('.whl')) return source;
  const target = join(directory, 'built');
  const request = { interpreter, source, options: spec.options ?? [], target, directory };
  // Builds of the same files on another day are to give the same bytes.
  const env = { ...toolEnvironment(), SOURCE_DATE_EPOCH: '315532800' };
  const refusal = await installer.buildWheel(request, { ...options, env });
  const names = refusal === undefined ? await readdir(target) : [];
  const built = names.find((name) => name.endsWith('.whl'));
  if (built !== undefined) return join(target, built);
  throw Invalid.field(
    local.place,
    `${local.path} could not be built: ${refusal?.reason ?? 'it made no wheel'}`,
    {
      hint: `Try it yourself: \`pip wheel --no-deps ${local.path === '.' ? '.' : `./${local.path}`}\`.`,
    },
  );
};

/** The path of a file of the project, which no link may lead out of it. */
const contained = async (root: string | undefined, file: string, path: string): Promise<string> => {
  if (root === undefined) throw new Internal(`${path} is to be built, but nobody said where the project is`);
  const [base, real] = await Promise.all([realpath(root), realpath(join(root, file))]);
  if (!real.startsWith(base + sep)) throw outsideProject(path, file);
  return real;
};

const probe = `
import email.parser, json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    name = next(each for each in wheel.namelist() if each.endswith(".dist-info/METADATA"))
    metadata = email.parser.Parser().parsestr(wheel.read(name).decode())
print(json.dumps({"name": metadata["Name"], "requires": metadata.get_all("Requires-Dist") or []}))
`;

const described = async (
  file: string,
  { extras, place }: Pick<Wheel, 'extras' | 'place'>,
  interpreter: Interpreter,
): Promise<Wheel> => {
  const { code, stdout } = await runCommand(interpreter.path, ['-I', '-c', probe, file]);
  if (code !== 0) throw Invalid.field(place, `${basename(file)} is no wheel that can be read`);
  const { name, requires } = JSON.parse(stdout) as { name: string; requires: readonly string[] };
  const byPath = requires.find((requirement) => /@\s*(?:file:|\.|\/)/.test(requirement));
  if (byPath !== undefined) {
    throw Invalid.field(place, `${name} requires another package by its path: ${byPath}`, {
      hint: 'Let it require that by its name, and name the path beside it in requirements.txt.',
    });
  }
  const bytes = await readFile(file);
  if (bytes.length > maxWheelBytes) {
    throw Invalid.field(place, `${name} has ${(bytes.length / 1e6).toFixed(0)} MB as a package`, {
      hint: `At most ${maxWheelBytes / 2 ** 20} MiB go with a model: publish it, or leave data out of it.`,
    });
  }
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return { file, name: normalizedName(name), extras, place, digest };
};

/** The spec with the wheels as requirements. */
export const requiringWheels = (spec: EnvironmentSpec, wheels: readonly Wheel[]): EnvironmentSpec => {
  if (wheels.length === 0) return spec;
  const source = spec.source ?? 'requirements';
  return {
    ...spec,
    requirements: [
      ...spec.requirements,
      ...wheels.map(({ name, extras, file }) => `${name}${extras} @ file://${file}`),
    ],
    places: [
      ...spec.requirements.map((_, index) => spec.places?.[index] ?? source),
      ...wheels.map(({ place }) => place),
    ],
  };
};

/** The lock with wheels named by their place below `wheels`: a lock holds no path of a machine. */
export const lockWithWheels = (lock: string, wheels: readonly Wheel[]): string => {
  const names = new Map(wheels.map(({ name, file }) => [name, `${wheelsDirectory}/${basename(file)}`]));
  const lines = lock.trim().split('\n');
  const named = lines.map((line) => {
    const [, name = ''] = /^([\w.-]+)(?:\[[^\]]*\])?\s*@\s*file:/.exec(line) ?? [];
    return names.get(normalizedName(name)) ?? line;
  });
  return `${named.sort().join('\n')}\n`;
};
