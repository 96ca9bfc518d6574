import { createHash } from 'node:crypto';
import {
  type GraphChange,
  kindOf,
  type LineageEdge,
  type LineageNode,
  type NodeId,
} from '../domain/lineage/graph.ts';
import type { RegistryContext } from './context.ts';

/** Ids may be long and keys may not. */
const edgeKey = ({ from, relation, to }: LineageEdge): string =>
  createHash('sha256').update(`${from}\n${relation}\n${to}`).digest('hex');

/** Applies what an event says of the graph. Repeating it, after a crash at any point, changes nothing. */
export const extendLineage = async (context: RegistryContext, change: GraphChange): Promise<void> => {
  const { nodes, edges } = context.collections;
  for (const edge of change.removedEdges ?? []) {
    await edges.update(edgeKey(edge), (current) => (current === undefined ? undefined : { document: null }));
  }
  // At once, so that the store writes them together.
  await Promise.all([
    ...mergedById(change.nodes ?? []).map((node) => mergeNode(context, node)),
    ...(change.edges ?? []).map((edge) =>
      edges.update(edgeKey(edge), (current) => (current === undefined ? { document: edge } : undefined)),
    ),
  ]);
  if (change.patch === undefined) return;
  const { idPrefix, attributes } = change.patch;
  for await (const { key } of nodes.scan({ field: '$key', op: 'prefix', value: idPrefix })) {
    await mergeNode(context, { id: key as NodeId, attributes });
  }
};

/** One write per node, so that no reader sees half of an event. */
const mergedById = (nodes: readonly LineageNode[]): readonly LineageNode[] => {
  const merged = new Map<NodeId, LineageNode>();
  for (const { id, attributes } of nodes) {
    merged.set(id, { id, attributes: { ...merged.get(id)?.attributes, ...attributes } });
  }
  return [...merged.values()];
};

const mergeNode = async (
  { collections }: RegistryContext,
  { id, attributes }: LineageNode,
): Promise<void> => {
  await collections.nodes.update(id, (current) => {
    const before = current?.document.attributes ?? {};
    const known =
      current !== undefined && Object.entries(attributes).every(([name, value]) => before[name] === value);
    return known ? undefined : { document: { kind: kindOf(id), attributes: { ...before, ...attributes } } };
  });
};
