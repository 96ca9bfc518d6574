import type { ProjectSnapshot } from '@millrace/contracts/step';

/** What is remembered of a project between its runs. Times are milliseconds since the epoch. */
export interface Project {
  readonly name: string;
  /** What triggers and reactions run. */
  readonly snapshot: ProjectSnapshot;
  readonly revision: number;
  readonly defaultProfile: string;
  /** Whether somebody chose the snapshot for triggers; until then it is that of the latest run a person asked for. */
  readonly pushed: boolean;
  readonly pushedAt: number;
  readonly runCount: number;
  readonly latestRunId: string;
  /** Numbers given to the latest runs, so that a repeated request gets the number it was given. */
  readonly numbers: Readonly<Record<string, number>>;
}

const keptNumbers = 50;

export interface Revision {
  readonly snapshot: ProjectSnapshot;
  readonly profile: string;
}

/** The project with a snapshot that somebody chose; the same snapshot again is the same revision. */
export const pushRevision = (project: Project | undefined, revision: Revision, now: number): Project => {
  const base = project ?? emptyProject(revision, now);
  const isSame =
    project !== undefined &&
    project.snapshot.manifestDigest === revision.snapshot.manifestDigest &&
    project.defaultProfile === revision.profile;
  return {
    ...base,
    ...(isSame ? {} : withRevision(base, revision, now)),
    pushed: true,
  };
};

/** Gives a run its number. A run that a person asked for also sets the snapshot, as long as nobody pushed one. */
export const numberRun = (
  project: Project | undefined,
  runId: string,
  revision: Revision,
  byPerson: boolean,
  now: number,
): Project => {
  const base = project ?? emptyProject(revision, now);
  if (base.numbers[runId] !== undefined) return base;
  const number = base.runCount + 1;
  const follows =
    byPerson && !base.pushed && base.snapshot.manifestDigest !== revision.snapshot.manifestDigest;
  const kept = Object.entries(base.numbers).slice(-keptNumbers + 1);
  return {
    ...base,
    ...(follows || base.revision === 0 ? withRevision(base, revision, now) : {}),
    runCount: number,
    latestRunId: runId,
    numbers: Object.fromEntries([...kept, [runId, number]]),
  };
};

const emptyProject = ({ snapshot, profile }: Revision, now: number): Project => ({
  name: snapshot.project,
  snapshot,
  revision: 0,
  defaultProfile: profile,
  pushed: false,
  pushedAt: now,
  runCount: 0,
  latestRunId: '',
  numbers: {},
});

const withRevision = (
  project: Project,
  { snapshot, profile }: Revision,
  now: number,
): Pick<Project, 'snapshot' | 'revision' | 'defaultProfile' | 'pushedAt'> => ({
  snapshot,
  revision: project.revision + 1,
  defaultProfile: profile,
  pushedAt: now,
});
