import { readdirSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { serviceNames } from '@millrace/service-kit';
import type { TestInstallation } from '../../support/installation.ts';

/** What the parts of an installation hold at a moment. */
export interface Resources {
  /** By part; resident memory in MiB and open file descriptors. */
  readonly processes: Readonly<Record<string, { readonly rssMiB: number; readonly files: number }>>;
  /** Files and folders below the temporary folders of services and blobs. */
  readonly temporary: readonly string[];
  /** Messages that no broker has acknowledged, by service. Only of stores in SQLite. */
  readonly outbox: Readonly<Record<string, number>>;
}

const mebibyte = 1024 ** 2;
const pageBytes = 4_096;

/** Reads what the operating system says; `undefined` of a process that has just ended. */
export const processUse = (pid: number): { rssMiB: number; files: number } | undefined => {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    return {
      rssMiB: Math.round((pages * pageBytes) / mebibyte),
      files: readdirSync(`/proc/${pid}/fd`).length,
    };
  } catch {
    return undefined;
  }
};

export const measureResources = async (millrace: TestInstallation): Promise<Resources> => {
  const { pid, pids, mode } = await millrace.state();
  const parts = { ...(mode === 'embedded' ? { millrace: pid } : { supervisor: pid }), ...pids };
  const processes = Object.fromEntries(
    Object.entries(parts).flatMap(([name, id]) => {
      const use = processUse(id);
      return use === undefined ? [] : [[name, use] as const];
    }),
  );
  const folders = [...serviceNames.map((name) => join(name, 'tmp')), join('blobs', 'tmp')];
  const temporary = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(join(millrace.dataDir, folder)).catch(() => []);
      return names.map((name) => join(folder, name));
    }),
  );
  const outbox = Object.fromEntries(
    serviceNames.flatMap((name) => {
      const pending = pendingIn(join(millrace.dataDir, name, 'store.sqlite'));
      return pending === undefined ? [] : [[name, pending] as const];
    }),
  );
  return { processes, temporary: temporary.flat(), outbox };
};

/** Looked up in the file, because no API tells it; `undefined` where the store is not in SQLite. */
const pendingIn = (path: string): number | undefined => {
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      const row = database.prepare('SELECT count(*) AS pending FROM outbox WHERE sent_time IS NULL').get();
      return Number(row?.pending);
    } finally {
      database.close();
    }
  } catch {
    return undefined;
  }
};

export interface ResourceLimits {
  /** MiB of one process. */
  readonly rssMiB: number;
  /** File descriptors that a process may hold above what it held before the faults. */
  readonly moreFiles: number;
  /** What a worker that was killed left, until the service sweeps its folder. */
  readonly temporary: number;
}

export const usualLimits: ResourceLimits = { rssMiB: 1_024, moreFiles: 100, temporary: 64 };

/** What is out of bounds afterwards. */
export const findExcess = (
  before: Resources,
  after: Resources,
  { rssMiB, moreFiles, temporary }: ResourceLimits,
): readonly string[] => [
  ...Object.entries(after.processes).flatMap(([name, use]) => [
    ...(use.rssMiB > rssMiB ? [`${name} holds ${use.rssMiB} MiB of memory, more than ${rssMiB}`] : []),
    ...(use.files > (before.processes[name]?.files ?? use.files) + moreFiles
      ? [`${name} holds ${use.files} files open, ${before.processes[name]?.files} before`]
      : []),
  ]),
  ...(after.temporary.length > before.temporary.length + temporary
    ? [`${after.temporary.length} temporary files: ${after.temporary.slice(0, 10).join(', ')} …`]
    : []),
  ...Object.entries(after.outbox).flatMap(([name, pending]) =>
    pending > 0 ? [`the outbox of ${name} still has ${pending} messages`] : [],
  ),
];

/** `largest process 210 MiB, most files 63, temporary files 0` */
export const describeResources = ({ processes, temporary }: Resources): string => {
  const uses = Object.values(processes);
  const largest = Math.max(0, ...uses.map(({ rssMiB }) => rssMiB));
  const files = Math.max(0, ...uses.map(({ files: open }) => open));
  return `largest process ${largest} MiB, most files ${files}, temporary files ${temporary.length}`;
};
