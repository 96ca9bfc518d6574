import type { LineageEdge, NodeId } from './graph.ts';

export type Direction = 'upstream' | 'downstream';

/** Finds all edges that leave the given nodes in a direction: one indexed look-up per level of the walk. */
export type FindEdges = (from: readonly NodeId[], direction: Direction) => Promise<readonly LineageEdge[]>;

export interface Walk {
  /** Nodes reached, the start first, nearest first. */
  readonly nodes: readonly NodeId[];
  readonly edges: readonly LineageEdge[];
  /** Something lies beyond the depth or the number of nodes that were asked for. */
  readonly truncated: boolean;
}

export interface WalkLimits {
  /** Steps from the start. */
  readonly maxDepth: number;
  readonly maxNodes: number;
}

/** Everything that lies in one direction of a node, breadth first; each node is visited once, so cycles end. */
export const walk = async (
  start: NodeId,
  direction: Direction,
  { maxDepth, maxNodes }: WalkLimits,
  findEdges: FindEdges,
): Promise<Walk> => {
  const reached = new Set<NodeId>([start]);
  const edges: LineageEdge[] = [];
  let frontier: readonly NodeId[] = [start];
  for (let depth = 0; frontier.length > 0; depth += 1) {
    const found = await findEdges(frontier, direction);
    if (depth === maxDepth) return { nodes: [...reached], edges, truncated: found.length > 0 };
    const next: NodeId[] = [];
    for (const edge of found) {
      const neighbour = direction === 'upstream' ? edge.from : edge.to;
      if (!reached.has(neighbour)) {
        if (reached.size === maxNodes) return { nodes: [...reached], edges, truncated: true };
        reached.add(neighbour);
        next.push(neighbour);
      }
      edges.push(edge);
    }
    frontier = next;
  }
  return { nodes: [...reached], edges, truncated: false };
};
