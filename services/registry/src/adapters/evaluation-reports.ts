import type { EvaluationServiceService } from '@millrace/contracts/evaluation';
import { NotFound } from '@millrace/errors';
import type { RpcClient } from '@millrace/service-kit';
import type { EvaluationReports } from '../application/context.ts';

export type EvaluationClient = RpcClient<typeof EvaluationServiceService>;

const absentIfNotFound = (error: unknown): undefined => {
  if (error instanceof NotFound || (error as { code?: string }).code === 'not_found') return undefined;
  throw error;
};

/** Reports as the evaluation service itself gives them. */
export const evaluationReports = (client: EvaluationClient): EvaluationReports => ({
  get: async (id) => (await client.getReport({ id }).catch(absentIfNotFound))?.report,
  findForModel: async (modelDigest) =>
    (await client.findVerdict({ modelDigest, dataDigest: '' }).catch(absentIfNotFound))?.report,
});
