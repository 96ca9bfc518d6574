import { describe, expect, test } from 'vitest';
import type { LineageEdge, NodeId } from './graph.ts';
import { type FindEdges, walk } from './walk.ts';

const edge = (from: NodeId, to: NodeId): LineageEdge => ({ from, to, relation: 'produced' });

const findIn =
  (edges: readonly LineageEdge[]): FindEdges =>
  async (from, direction) =>
    edges.filter((candidate) => from.includes(direction === 'upstream' ? candidate.to : candidate.from));

// source → dataset → run1, run2 → model; run1 → model too
const edges = [
  edge('source:s', 'dataset_version:d'),
  edge('dataset_version:d', 'training_run:1'),
  edge('dataset_version:d', 'training_run:2'),
  edge('training_run:1', 'model:m'),
  edge('training_run:2', 'model:m'),
];
const wide = { maxDepth: 20, maxNodes: 1_000 };

describe('walking the lineage', () => {
  test('reaches everything downstream, nearest first, each node once and every edge', async () => {
    const found = await walk('source:s', 'downstream', wide, findIn(edges));
    expect(found.nodes).toEqual([
      'source:s',
      'dataset_version:d',
      'training_run:1',
      'training_run:2',
      'model:m',
    ]);
    expect(found.edges).toHaveLength(5);
    expect(found.truncated).toBe(false);
  });

  test('reaches everything upstream', async () => {
    const found = await walk('model:m', 'upstream', wide, findIn(edges));
    expect(new Set(found.nodes)).toEqual(
      new Set(['model:m', 'training_run:1', 'training_run:2', 'dataset_version:d', 'source:s']),
    );
  });

  test('stops at the depth and says that there is more', async () => {
    const found = await walk('source:s', 'downstream', { ...wide, maxDepth: 1 }, findIn(edges));
    expect(found).toMatchObject({ nodes: ['source:s', 'dataset_version:d'], truncated: true });
    const whole = await walk('source:s', 'downstream', { ...wide, maxDepth: 3 }, findIn(edges));
    expect(whole.truncated).toBe(false);
  });

  test('stops at the number of nodes and says that there is more', async () => {
    const found = await walk('source:s', 'downstream', { ...wide, maxNodes: 3 }, findIn(edges));
    expect(found.nodes).toHaveLength(3);
    expect(found.truncated).toBe(true);
  });

  test('ends in a cycle', async () => {
    const cyclic = [...edges, edge('model:m', 'source:s')];
    expect((await walk('source:s', 'downstream', wide, findIn(cyclic))).nodes).toHaveLength(5);
  });
});
