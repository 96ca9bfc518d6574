import type { SearchRunsRequest } from '@millrace/contracts/training';
import { pageQuery } from '@millrace/service-kit';
import type { Filter } from '@millrace/store';
import { experimentIdOf, type RunDocument } from '../domain/run.ts';
import { parseRunFilter, parseRunOrder } from '../domain/run-filter.ts';
import type { Listed, Runs } from './ports.ts';

/** Throws `Invalid` on a filter, order or page that is not understood. */
export const searchRuns = (runs: Runs, request: SearchRunsRequest): Promise<Listed<RunDocument>> => {
  const asked = parseRunFilter(request.filter);
  const conditions: Filter[] = [
    ...(request.experimentName === ''
      ? []
      : [{ field: 'experimentId', op: 'eq', value: experimentIdOf(request.experimentName) } as const]),
    ...(request.includeNested ? [] : [{ field: 'parentRunId', op: 'eq', value: '' } as const]),
    ...(asked === undefined ? [] : [asked]),
  ];
  return runs.find({
    ...(conditions.length === 0 ? {} : { filter: { and: conditions } }),
    sort: parseRunOrder(request.orderBy),
    ...pageQuery(request.page),
  });
};
