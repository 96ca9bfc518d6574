import { deploymentEvents, type Endpoint, type Revision } from '@millrace/contracts/deployment';
import { versionKey } from '../names.ts';
import { describeNode, type GraphChange, type LineageNode, link, nodeId } from './graph.ts';
import { type LineageRule, lineageRule } from './rule.ts';

const revisionKey = (endpoint: string, number: number): string => `${endpoint}/${number}`;

type Part = readonly [revision: Revision | undefined, state: string];

/** What an event says of a revision itself. Traffic that is not told of is none. */
const nodeOf = (revision: Revision, endpoint: string, state: string): readonly LineageNode[] =>
  describeNode('endpoint_revision', revisionKey(endpoint, revision.number), {
    endpoint,
    revision: revision.number,
    modelVersion: versionKey(revision.model, revision.modelVersion),
    state,
    trafficPercent: 0,
    createdAt: revision.createdAt,
  });

/** `trafficPercent` above 0 is what makes a revision live; a shadow answers nobody. */
const trafficNodes = ({ name, traffic }: Endpoint): readonly LineageNode[] =>
  traffic.flatMap(({ revision, percent, shadow }) =>
    describeNode('endpoint_revision', revisionKey(name, revision), {
      trafficPercent: shadow ? 0 : percent,
    }),
  );

const ofDeployment = (endpoint: Endpoint | undefined, ...parts: readonly Part[]): GraphChange => {
  if (endpoint === undefined) return {};
  const known = parts.flatMap(([revision, state]) => (revision === undefined ? [] : [{ revision, state }]));
  return {
    nodes: [
      ...known.flatMap(({ revision, state }) => nodeOf(revision, endpoint.name, state)),
      ...trafficNodes(endpoint),
    ],
    edges: known.flatMap(({ revision }) => {
      const node = ['endpoint_revision', revisionKey(endpoint.name, revision.number)] as const;
      const version = versionKey(revision.model, revision.modelVersion);
      return [
        ...link(['model_version', version], 'serves', node),
        ...link(['pipeline_run', revision.pipelineRunId], 'produced', node),
      ];
    }),
  };
};

/** From a version to what serves it. */
export const deploymentRules: readonly LineageRule[] = [
  lineageRule(deploymentEvents.deploymentStarted, ({ endpoint, revision }) =>
    ofDeployment(endpoint, [revision, 'starting']),
  ),
  lineageRule(deploymentEvents.trafficShifted, ({ endpoint, revision }) =>
    ofDeployment(endpoint, [revision, 'candidate']),
  ),
  lineageRule(deploymentEvents.deploymentPromoted, ({ endpoint, revision, previous }) =>
    ofDeployment(endpoint, [revision, 'serving'], [previous, 'standby']),
  ),
  lineageRule(deploymentEvents.deploymentRolledBack, ({ endpoint, revision, restored }) =>
    ofDeployment(endpoint, [revision, 'rolled_back'], [restored, 'serving']),
  ),
  lineageRule(deploymentEvents.deploymentFailed, ({ endpoint, revision }) =>
    ofDeployment(endpoint, [revision, 'failed']),
  ),
  lineageRule(deploymentEvents.endpointDeleted, ({ endpoint }) => ({
    patch: {
      idPrefix: `${nodeId('endpoint_revision', endpoint)}/`,
      attributes: { state: 'retired', trafficPercent: '0' },
    },
  })),
];
