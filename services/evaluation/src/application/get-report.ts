import type { GetReportRequest, GetReportResponse } from '@millrace/contracts/evaluation';
import { NotFound } from '@millrace/errors';
import { requireText } from '@millrace/service-kit';
import type { Reports } from './ports.ts';

/** @throws NotFound */
export const getReport =
  (reports: Reports) =>
  async ({ id }: GetReportRequest): Promise<GetReportResponse> => {
    const record = await reports.get(requireText('id', id));
    if (record === undefined) throw new NotFound(`there is no evaluation report "${id}"`);
    return { report: record.report };
  };
