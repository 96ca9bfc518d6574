import { Invalid } from '@millrace/errors';
import type { EnvironmentSpec } from '../contract.ts';
import type { CommandOptions } from './command.ts';
import type { Installer } from './installer.ts';
import type { Interpreter } from './interpreter.ts';
import { type Preference, preferencesFor, workerNeeds } from './pins.ts';
import { nameOf } from './requirement-name.ts';

/**
 * Pins every package that the project, the recipe and Millrace's worker need: sorted lines of a requirements file. The
 * versions that Millrace is tested with are preferred and give way to the project's own. Throws `Invalid` naming file
 * and line when the requirements cannot be met.
 */
export const resolveSpec = async (
  spec: EnvironmentSpec,
  interpreter: Interpreter,
  installer: Installer,
  directory: string,
  options: CommandOptions,
): Promise<string> => {
  const named = new Set(spec.requirements.map(nameOf));
  // What a need asks of a package beyond its name (`flaml[automl]`) is wanted also where the project names it.
  const needs = spec.needs.filter((need) => !named.has(nameOf(need)) || need.includes('['));
  const requirements = [...(spec.options ?? []), ...spec.requirements, ...needs, ...workerNeeds];
  const preferences = preferencesFor(spec.requirements);
  /** How far each preference has given way. */
  const given = new Map(preferences.map(({ name }) => [name, 0]));
  for (;;) {
    const preferred = preferences.flatMap(({ name, constraints }) => constraints[given.get(name) ?? 0] ?? []);
    const constraints = [...(spec.constraints ?? []), ...preferred];
    const request = { interpreter, requirements, constraints, directory };
    const outcome = await installer.resolve(request, options);
    if ('lock' in outcome) return withHashes(sorted(outcome.lock), spec.requirements);
    if (preferred.length === 0) throw unresolvable(spec, interpreter, outcome.reason);
    giveWay(preferences, given, outcome.reason);
  }
};

/** Loosens the preferences that a conflict names; all of them when it names none. */
const giveWay = (preferences: readonly Preference[], given: Map<string, number>, reason: string): void => {
  const inConflict = preferences.filter(({ name, constraints }) => {
    const isLeft = (given.get(name) ?? 0) < constraints.length;
    return isLeft && patternOf(name).test(reason);
  });
  for (const { name } of inConflict) given.set(name, (given.get(name) ?? 0) + 1);
  if (inConflict.length > 0) return;
  for (const { name, constraints } of preferences) given.set(name, constraints.length);
};

/** Finds a distribution's name in a text. */
const patternOf = (name: string): RegExp =>
  new RegExp(`(?<![\\w.-])${name.replaceAll('-', '[-_.]')}(?![\\w-])`, 'i');

/** The error for requirements that cannot be met or installed, at the requirement that the reason names. */
export const unresolvable = (spec: EnvironmentSpec, interpreter: Interpreter, reason: string): Invalid => {
  const places = placesOf(spec, reason);
  const said = firstSentences(reason);
  const path = places[0]?.place ?? spec.source ?? 'requirements';
  return new Invalid(`${path}: ${said}`, {
    hint: reason.includes('could not be built') ? buildHint(interpreter) : hintFor(places, interpreter),
    violations: (places.length === 0 ? [{ place: path, requirement: '' }] : places).map(
      ({ place, requirement }) => ({
        path: place,
        message: requirement === '' ? said : `${requirement}: ${said}`,
      }),
    ),
    details: { reason, python: interpreter.version },
  });
};

interface Place {
  readonly place: string;
  readonly requirement: string;
}

/** The project's requirements whose distributions the reason names, in the order in which it does. */
const placesOf = (spec: EnvironmentSpec, reason: string): Place[] =>
  spec.requirements
    .flatMap((requirement, index) => {
      const name = nameOf(requirement);
      if (name === undefined) return [];
      const at = reason.search(patternOf(name));
      const place = spec.places?.[index] ?? spec.source ?? 'requirements';
      // Of the project's own packages the name says enough.
      return at < 0 ? [] : [{ place, requirement: requirement.replace(/ @ file:.*$/, ''), at }];
    })
    .sort((left, right) => left.at - right.at);

const buildHint = ({ version }: Interpreter): string =>
  `Take a release that has a wheel for Python ${version}, or install what its build asks for on this machine.`;

const hintFor = (places: readonly Place[], { version }: Interpreter): string => {
  if (places.length === 0) {
    return `Loosen the requirements: Millrace's worker needs ${workerNeeds.join(', ')} (Python ${version}).`;
  }
  const named = places.map(({ requirement, place }) => `${requirement} (${place})`).join(', ');
  return `Loosen or correct ${named}; the environment has Python ${version}.`;
};

/** The reason in one or two sentences. */
const firstSentences = (reason: string): string => {
  const sentences = reason.split(/(?<=\.)\s+(?=[A-Z])/);
  const text = sentences
    .slice(0, 2)
    .join(' ')
    .replace(/, we can conclude that .*$/, '.');
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
};

/** Adds the hashes that the project states for a package: they are compared when it is installed. */
const withHashes = (lock: string, requirements: readonly string[]): string => {
  const hashes = new Map(
    requirements.map((line) => [nameOf(line), line.match(/\s--hash[=\s]\S+/g)?.join('') ?? '']),
  );
  return lock.replaceAll(/^.+$/gm, (line) => line + (hashes.get(nameOf(line)) ?? ''));
};

const sorted = (lock: string): string => {
  const lines = lock
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('--'));
  return `${lines.sort().join('\n')}\n`;
};
