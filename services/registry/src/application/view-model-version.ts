import type { ModelVersion as ModelVersionMessage } from '@millrace/contracts/registry';
import { approvalStanding } from '../domain/approval.ts';
import { aliasesOf, type Model } from '../domain/model.ts';
import type { ModelVersion } from '../domain/model-version.ts';
import type { Policy } from '../domain/policy.ts';
import { modelVersionMessage } from './messages.ts';

/** A version as its readers see it at a time (ISO 8601): approvals may have expired, aliases may have moved. */
export const viewModelVersion = (
  version: ModelVersion,
  model: Model,
  policy: Policy,
  at: string,
): ModelVersionMessage =>
  modelVersionMessage(version, {
    aliases: aliasesOf(model, version.number),
    state: approvalStanding(version, policy, at).state,
  });
