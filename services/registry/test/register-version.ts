import { Report } from '@millrace/contracts/evaluation';
import { Artifact } from '@millrace/contracts/step';
import { ada } from './fixtures.ts';
import type { Platform } from './service-fixture.ts';

/** Has the step register a validated model of its own as the next version; resolves with the model's digest. */
export const registerVersion = async (platform: Platform, model: string, number: number): Promise<string> => {
  const digest = await platform.putModel(`${model} ${number}`);
  const id = `rep_${model}_${number}`;
  const told = {
    id,
    modelDigest: digest,
    trainingRunId: `t${number}`,
    datasetVersionId: 'flights@01',
    verdict: 'VERDICT_VALIDATED' as const,
  };
  platform.reports.set(id, Report.fromPartial(told));
  const { failure } = await platform.runStep({
    pipelineRunId: `run_${model}_${number}`,
    inputs: [Artifact.fromPartial({ kind: 'model', digest })],
    config: { model_name: model },
    actor: ada,
  });
  if (failure !== undefined) throw new Error(failure.error?.message);
  return digest;
};
