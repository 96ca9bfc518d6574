import type { Alert } from '@millrace/contracts/monitoring';
import type { Run } from '@millrace/contracts/pipeline';
import { NotFound } from '@millrace/errors';
import { auditRules, type GraphChange, type LineageEdge, lineageRules } from '@millrace/registry';
import type { Evidence } from './evidence.ts';
import { inOrder, rebuildState, replay } from './rebuilt-state.ts';

/** What a service answers that the event log does not imply, and the reverse; empty when they agree. */
export const findProjectionDifferences = async (evidence: Evidence): Promise<readonly string[]> => [
  ...ownStates(evidence),
  ...auditDifferences(evidence),
  ...(await lineageDifferences(evidence)),
];

const compare = (
  what: string,
  rebuilt: ReadonlyMap<string, string>,
  answered: ReadonlyMap<string, string>,
): readonly string[] =>
  [...new Set([...rebuilt.keys(), ...answered.keys()])].flatMap((key) => {
    const [expected, found] = [rebuilt.get(key), answered.get(key)];
    return expected === found
      ? []
      : [`${what} ${key}: the event log says ${expected ?? 'nothing'}, the service ${found ?? 'nothing'}`];
  });

const ended = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED']);

const runState = ({ state }: Run): string => {
  const name = state.replace('RUN_STATE_', '');
  return ended.has(name) ? name : 'OPEN';
};

const alertState = ({ state }: Alert): string => state.replace('ALERT_STATE_', '');

const ownStates = (evidence: Evidence): readonly string[] => {
  const rebuilt = rebuildState(evidence.events);
  const mapOf = <T>(items: readonly T[], entry: (item: T) => readonly [string, string]) =>
    new Map(items.map(entry));
  const stable = evidence.endpoints.filter(({ endpoint }) => (endpoint?.stableRevision ?? 0) > 0);
  const aliases = evidence.models.flatMap(({ name, aliases: own }) =>
    Object.entries(own).map(([alias, version]) => [`${name}@${alias}`, String(version)] as const),
  );
  return [
    ...compare(
      'pipeline run',
      rebuilt.runs,
      mapOf(evidence.runs, (run) => [run.id, runState(run)]),
    ),
    ...compare(
      'training run',
      rebuilt.trainingRuns,
      mapOf(evidence.trainingRuns, ({ id, status }) => [id, status.replace('RUN_STATUS_', '')]),
    ),
    ...compare(
      'dataset version',
      rebuilt.datasetVersions,
      mapOf(evidence.datasetVersions, ({ id, digest }) => [id, digest]),
    ),
    ...compare(
      'model version',
      rebuilt.modelVersions,
      mapOf(evidence.modelVersions, ({ model, version, approvalState }) => [
        `${model}/${version}`,
        approvalState.replace('APPROVAL_STATE_', ''),
      ]),
    ),
    ...compare('alias', rebuilt.aliases, new Map(aliases)),
    ...compare(
      'stable revision of endpoint',
      rebuilt.endpoints,
      mapOf(stable, ({ endpoint }) => [endpoint?.name ?? '', String(endpoint?.stableRevision)]),
    ),
    ...compare(
      'monitor',
      rebuilt.monitors,
      mapOf(evidence.monitors, ({ endpoint }) => [endpoint, 'BOUND']),
    ),
    ...compare(
      'alert',
      rebuilt.alerts,
      mapOf(evidence.alerts, (alert) => [alert.id, alertState(alert)]),
    ),
  ];
};

/** One record for each audited event, none for anything else, in an unbroken chain. */
const auditDifferences = ({ events, audit, auditVerdict }: Evidence): readonly string[] => {
  const audited = new Set(auditRules.map(({ definition }) => definition.type));
  const records = new Map<string, number>();
  for (const { facts } of audit) {
    const id = String(facts?.eventId ?? '');
    records.set(id, (records.get(id) ?? 0) + 1);
  }
  const expected = new Map(
    inOrder(events).flatMap(({ id, type }) => (audited.has(type) ? [[id, '1 record'] as const] : [])),
  );
  const found = new Map([...records].map(([id, count]) => [id, `${count} record${count === 1 ? '' : 's'}`]));
  return [
    ...compare('audit of event', expected, found),
    ...(auditVerdict.intact
      ? []
      : [`the audit chain breaks at ${auditVerdict.brokenAt}: ${auditVerdict.reason}`]),
  ];
};

const edgeText = ({ from, relation, to }: LineageEdge): string => `${from} ${relation} ${to}`;

/** The graph that the rules make of the event log, compared node by node with what the registry answers. */
const lineageDifferences = async ({ client, events }: Evidence): Promise<readonly string[]> => {
  const { nodes, edges } = rebuildGraph(events);
  const differences: string[] = [];
  for (const [id, attributes] of nodes) {
    const answer = await client.registry
      .getLineage({ node: id, direction: 'LINEAGE_DIRECTION_BOTH', maxDepth: 1 })
      .catch((thrown: unknown) => {
        if (thrown instanceof NotFound) return undefined;
        throw thrown;
      });
    const touching = [...edges].filter((edge) => edge.startsWith(`${id} `) || edge.endsWith(` ${id}`));
    const answered = (answer?.edges ?? []).map((edge) => edgeText(edge as LineageEdge));
    const own = answered.filter((edge) => edge.startsWith(`${id} `) || edge.endsWith(` ${id}`));
    const flags = (texts: readonly string[]) => new Map(texts.map((text) => [text, 'an edge']));
    differences.push(...compare('lineage', flags(touching), flags(own)));
    const found = answer?.nodes.find((node) => node.id === id)?.attributes ?? {};
    differences.push(
      ...compare(`lineage ${id}:`, new Map(Object.entries(attributes)), new Map(Object.entries(found))),
    );
  }
  return [...new Set(differences)];
};

const rebuildGraph = (events: Evidence['events']) => {
  const nodes = new Map<string, Record<string, string>>();
  const edges = new Set<string>();
  const merge = (id: string, attributes: Readonly<Record<string, string>>) =>
    nodes.set(id, { ...nodes.get(id), ...attributes });
  const apply = (change: GraphChange) => {
    for (const { id, attributes } of change.nodes ?? []) merge(id, attributes);
    for (const edge of change.removedEdges ?? []) edges.delete(edgeText(edge));
    for (const edge of change.edges ?? []) edges.add(edgeText(edge));
    if (change.patch === undefined) return;
    for (const id of nodes.keys()) {
      if (id.startsWith(change.patch.idPrefix)) merge(id, change.patch.attributes);
    }
  };
  replay(
    events,
    lineageRules.map(({ definition, project }) => ({
      definition,
      apply: (data: unknown) => apply(project(data)),
    })),
  );
  return { nodes, edges };
};
