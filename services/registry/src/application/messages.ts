import { ErrorDetail } from '@millrace/contracts/common';
import {
  AliasMove as AliasMoveMessage,
  Approval as ApprovalMessage,
  ModelImport as ModelImportMessage,
  ModelVersion as ModelVersionMessage,
  Policy as PolicyMessage,
} from '@millrace/contracts/registry';
import type { PickleReport } from '@millrace/modeling';
import type { ApprovalState } from '../domain/approval.ts';
import type { AliasMove } from '../domain/model.ts';
import type { ModelImport } from '../domain/model-import.ts';
import type { Approval, ModelVersion } from '../domain/model-version.ts';
import type { Policy } from '../domain/policy.ts';

/** Domain values in the contract's words, for answers and events alike. */
export const approvalMessage = (approval: Approval): ApprovalMessage => ApprovalMessage.fromPartial(approval);

export const aliasMoveMessage = ({ number: _, ...move }: AliasMove): AliasMoveMessage =>
  AliasMoveMessage.fromPartial(move);

export const policyMessage = (policy: Policy): PolicyMessage =>
  PolicyMessage.fromPartial({ ...policy, protectedAliases: [...policy.protectedAliases] });

/** What is not in a version's own document: it depends on the model and the time. */
export interface VersionView {
  readonly aliases: readonly string[];
  readonly state: ApprovalState;
}

export const modelVersionMessage = (version: ModelVersion, view: VersionView): ModelVersionMessage =>
  ModelVersionMessage.fromPartial({
    model: version.model,
    version: version.number,
    digest: version.digest,
    approvalState: `APPROVAL_STATE_${view.state}`,
    approvals: version.approvals.map(approvalMessage),
    signature: { inputs: [...version.signature.inputs], outputs: [...version.signature.outputs] },
    inputExample: version.inputExample.map((row) => ({ ...row })),
    ...version.origin,
    evaluationReportId: version.evidence.reportId,
    verdict: version.evidence.verdict,
    metrics: { ...version.evidence.metrics },
    tags: { ...version.tags },
    aliases: [...view.aliases],
    archived: version.archived,
    registeredBy: version.registeredBy,
    registeredAt: version.registeredAt,
    flavors: [...(version.flavors ?? [])],
    source: version.source ?? 'run',
    description: version.description ?? '',
    ...(version.pickles === undefined ? {} : { pickles: pickleMessage(version.pickles) }),
  });

const pickleMessage = ({ verdict, files, globals, findings }: PickleReport) => ({
  verdict,
  files: [...files],
  globals: [...globals],
  findings: findings.map(({ path, message }) => `${path}: ${message}`),
});

/** @param version that came of it, as its readers see it */
export const modelImportMessage = (
  { id, command, state, message, error, warnings, startedAt, endedAt }: ModelImport,
  version: ModelVersionMessage | undefined,
): ModelImportMessage =>
  ModelImportMessage.fromPartial({
    id,
    model: command.model,
    state: `MODEL_IMPORT_STATE_${state}`,
    message,
    ...(version === undefined ? {} : { modelVersion: version }),
    ...(error === undefined ? {} : { error: ErrorDetail.fromJSON(error) }),
    warnings: [...warnings],
    startedAt,
    ...(endedAt === undefined ? {} : { endedAt }),
  });
