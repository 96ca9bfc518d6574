import { type Approval, type ModelVersion, registryEvents } from '@millrace/contracts/registry';
import { versionKey } from '../names.ts';
import { describeNode, type GraphChange, link } from './graph.ts';
import { type LineageRule, lineageRule } from './rule.ts';

const ofVersion = (
  version: ModelVersion | undefined,
  attributes: Readonly<Record<string, string | undefined>>,
): GraphChange =>
  version === undefined
    ? {}
    : { nodes: describeNode('model_version', versionKey(version.model, version.version), attributes) };

const decided = (approval: Approval | undefined, state: string) => ({
  approvalState: state,
  approvalId: approval?.id,
  decidedBy: approval?.actor?.name,
  decisionReason: approval?.actor?.reason,
  decidedAt: approval?.at,
  breakGlass: String(approval?.breakGlass ?? false),
});

const registered = (version: ModelVersion): GraphChange => {
  const node = ['model_version', versionKey(version.model, version.version)] as const;
  return {
    nodes: describeNode(...node, {
      digest: version.digest,
      verdict: version.verdict,
      approvalState: 'PENDING',
      registeredBy: version.registeredBy?.name,
      registeredAt: version.registeredAt,
      commit: version.codeCommit,
    }),
    edges: [
      ...link(['dataset_version', version.datasetVersionId], 'trained', [
        'training_run',
        version.trainingRunId,
      ]),
      ...link(['training_run', version.trainingRunId], 'produced', ['model', version.digest]),
      ...link(['model', version.digest], 'registered_as', node),
      ...link(['evaluation_report', version.evaluationReportId], 'admitted', node),
      ...link(['pipeline_run', version.pipelineRunId], 'produced', node),
    ],
  };
};

/** From a model to a governed version and the names that point to it now. */
export const registryRules: readonly LineageRule[] = [
  lineageRule(registryEvents.modelVersionRegistered, ({ modelVersion }) =>
    modelVersion === undefined ? {} : registered(modelVersion),
  ),
  lineageRule(registryEvents.modelVersionApproved, ({ modelVersion, approval }) =>
    ofVersion(modelVersion, decided(approval, 'APPROVED')),
  ),
  lineageRule(registryEvents.modelVersionRejected, ({ modelVersion, approval }) =>
    ofVersion(modelVersion, decided(approval, 'REJECTED')),
  ),
  lineageRule(registryEvents.modelVersionArchived, ({ modelVersion }) =>
    ofVersion(modelVersion, { archived: 'true' }),
  ),
  lineageRule(registryEvents.aliasMoved, ({ move }) => {
    if (move === undefined) return {};
    const alias = ['alias', `${move.model}/${move.alias}`] as const;
    const edge = (version: number) =>
      version === 0 ? [] : link(['model_version', versionKey(move.model, version)], 'named', alias);
    return {
      nodes: describeNode(...alias, {
        version: move.toVersion,
        movedBy: move.actor?.name,
        movedAt: move.at,
        approvalId: move.approvalId,
      }),
      // An alias names one version at a time; where it pointed before is in its history.
      removedEdges: edge(move.fromVersion),
      edges: edge(move.toVersion),
    };
  }),
];
