import type { ListReportsRequest, ListReportsResponse } from '@millrace/contracts/evaluation';
import { pageQuery } from '@millrace/service-kit';
import type { Reports } from './ports.ts';

/** Newest first. */
export const listReports =
  (reports: Reports) =>
  async ({ modelName, page }: ListReportsRequest): Promise<ListReportsResponse> => {
    const { reports: found, nextCursor = '' } = await reports.list(modelName, pageQuery(page));
    return { reports: [...found], page: { nextCursor } };
  };
