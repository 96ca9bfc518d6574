import { Invalid, NotFound } from '@millrace/errors';
import { type LineageEdge, type LineageNode, type NodeId, parseNodeId } from '../domain/lineage/graph.ts';
import { type Direction, type FindEdges, walk } from '../domain/lineage/walk.ts';
import type { RegistryContext } from './context.ts';

/** Above it an answer helps nobody; a narrower question does. */
const maxNodes = 5_000;
const defaultDepth = 20;
const deepest = 100;
/** Ids per look-up. */
const batch = 500;

export interface LineageQuery {
  /** `model_version:flights/3` */
  readonly node: string;
  readonly directions: readonly Direction[];
  /** Steps from the node; 0 means 20. */
  readonly maxDepth: number;
}

export interface Lineage {
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly LineageEdge[];
  readonly truncated: boolean;
}

/** What lies before and after a node. @throws Invalid, NotFound */
export const getLineage = async (context: RegistryContext, query: LineageQuery): Promise<Lineage> => {
  const start = parseNodeId(query.node);
  if (start === undefined) {
    throw Invalid.field('node', 'must be <kind>:<id>, for instance model_version:flights/3');
  }
  if (!Number.isInteger(query.maxDepth) || query.maxDepth < 0 || query.maxDepth > deepest) {
    throw Invalid.field('maxDepth', `must be a whole number from 0 to ${deepest}`);
  }
  const limits = { maxDepth: query.maxDepth === 0 ? defaultDepth : query.maxDepth, maxNodes };
  const findEdges = edgeFinder(context);
  const walks = await Promise.all(
    query.directions.map((direction) => walk(start, direction, limits, findEdges)),
  );
  const ids = [...new Set(walks.flatMap(({ nodes }) => nodes))];
  const nodes = await describe(context, ids);
  const edges = walks.flatMap((found) => found.edges);
  if (nodes.length === 1 && edges.length === 0 && !(await isKnown(context, start))) {
    throw new NotFound(`nothing is known of ${query.node}`);
  }
  return { nodes, edges, truncated: walks.some(({ truncated }) => truncated) };
};

const batchesOf = <T>(items: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(items.length / batch) }, (_, index) =>
    items.slice(index * batch, (index + 1) * batch),
  );

const edgeFinder =
  ({ collections }: RegistryContext): FindEdges =>
  async (from, direction) => {
    const field = direction === 'upstream' ? 'to' : 'from';
    const found: LineageEdge[] = [];
    for (const ids of batchesOf(from)) {
      const edges = collections.edges.scan({ field, op: 'in', value: ids });
      for await (const { document } of edges) {
        found.push(document);
        if (found.length > 2 * maxNodes) return found;
      }
    }
    return found;
  };

const describe = async (
  { collections }: RegistryContext,
  ids: readonly NodeId[],
): Promise<readonly LineageNode[]> => {
  const attributes = new Map<string, Readonly<Record<string, string>>>();
  for (const keys of batchesOf(ids)) {
    for (const { key, document } of await collections.nodes.getMany(keys)) {
      attributes.set(key, document.attributes);
    }
  }
  return ids.map((id) => ({ id, attributes: attributes.get(id) ?? {} }));
};

const isKnown = async ({ collections }: RegistryContext, id: NodeId): Promise<boolean> =>
  (await collections.nodes.get(id)) !== undefined ||
  (await collections.edges.count({
    or: [
      { field: 'from', op: 'eq', value: id },
      { field: 'to', op: 'eq', value: id },
    ],
  })) > 0;
