import { NotFound } from '@millrace/errors';
import { requireText } from '@millrace/service-kit';
import type { RunDocument } from '../domain/run.ts';
import type { Runs } from './ports.ts';

/** Throws `NotFound`. */
export const getRun = async (runs: Runs, id: string): Promise<RunDocument> => {
  const run = await runs.get(requireText('id', id));
  if (run === undefined) throw new NotFound(`there is no run "${id}"`);
  return run;
};
