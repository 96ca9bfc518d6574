import type { FindVerdictRequest, FindVerdictResponse } from '@millrace/contracts/evaluation';
import { NotFound } from '@millrace/errors';
import { requireText } from '@millrace/service-kit';
import type { Reports } from './ports.ts';

/** @throws NotFound when exactly this model was never evaluated (on that data). */
export const findVerdict =
  (reports: Reports) =>
  async ({ modelDigest, dataDigest }: FindVerdictRequest): Promise<FindVerdictResponse> => {
    const report = await reports.newest(requireText('model_digest', modelDigest), dataDigest);
    if (report === undefined) {
      const onData = dataDigest === '' ? '' : ` on data ${dataDigest}`;
      throw new NotFound(`model ${modelDigest} was not evaluated${onData}`);
    }
    return { report };
  };
