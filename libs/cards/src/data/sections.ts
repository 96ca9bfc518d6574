import type { CardSection } from '../card.ts';
import { code, collapsed, facts, list, note, table } from '../components.ts';
import { clip, formatNumber } from '../format.ts';
import type { SafeHtml } from '../html.ts';

const shownWarnings = 100;

/** What the step warned of; nothing when it did not. */
export const warningsSection = (warnings: readonly string[]): CardSection | undefined =>
  warnings.length === 0
    ? undefined
    : {
        title: 'Warnings',
        content: [
          list(warnings.slice(0, shownWarnings).map((warning) => clip(warning, 2_000))),
          ...(warnings.length > shownWarnings
            ? [note(`${formatNumber(warnings.length - shownWarnings)} more warnings are not shown.`)]
            : []),
        ],
      };

export interface EnvironmentFacts {
  /** `Node 24.1.0`, `Python 3.11.4`, platform: names with their versions. */
  readonly runtimes: readonly (readonly [name: string, version: string])[];
  /** Of the lock that fixes all packages; empty when there is none. */
  readonly lockDigest: string;
  /** Name → version. */
  readonly packages: Readonly<Record<string, string>>;
}

/** What the step ran in: enough to build it again. */
export const environmentSection = ({ runtimes, lockDigest, packages }: EnvironmentFacts): CardSection => {
  const installed = Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    title: 'Environment',
    content: [
      facts([...runtimes, ...(lockDigest === '' ? [] : [['Lock', code(lockDigest)] as const])]),
      ...(installed.length === 0 ? [] : [packageTable(installed)]),
    ],
  };
};

const runtimeNames: Readonly<Record<string, string>> = {
  node: 'Node',
  python: 'Python',
  python_version: 'Python',
  pythonVersion: 'Python',
  platform: 'Platform',
};

/** Reads the `environment.json` of a model package, of either runtime; what it does not know it leaves out. */
export const environmentFacts = (document: unknown): EnvironmentFacts => {
  const { lockDigest, packages, ...rest } = (document ?? {}) as Readonly<Record<string, unknown>>;
  return {
    runtimes: Object.entries(rest).flatMap(([key, value]): (readonly [string, string])[] => {
      const name = runtimeNames[key];
      return name === undefined || typeof value !== 'string' ? [] : [[name, value]];
    }),
    lockDigest: typeof lockDigest === 'string' ? lockDigest : '',
    packages: Object.fromEntries(
      Object.entries((packages ?? {}) as Readonly<Record<string, unknown>>).map(([name, version]) => [
        name,
        String(version),
      ]),
    ),
  };
};

const packageTable = (installed: readonly (readonly [string, string])[]): SafeHtml =>
  collapsed(`${formatNumber(installed.length)} ${installed.length === 1 ? 'package' : 'packages'}`, [
    table({
      columns: [{ title: 'Package' }, { title: 'Version' }],
      rows: installed.map(([name, version]) => [code(name), code(version)]),
    }),
  ]);
