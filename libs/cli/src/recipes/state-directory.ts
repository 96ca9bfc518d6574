import { join } from 'node:path';

/** What the command line keeps beside a project; never part of a snapshot. */
export const stateDirectory = (root: string): string => join(root, '.millrace');

/** Where the artifacts and cards of a step are fetched to. */
export const artifactDirectory = (root: string, step: string): string =>
  join(stateDirectory(root), 'artifacts', step);
