import type { GetLineageResponse, LineageNode } from '@millrace/contracts/registry';
import pc from 'picocolors';
import { plain } from '../output.ts';

/** Lineage as lines of a tree from `root`; a node reached again is named but not unfolded again. */
export const lineageTree = (
  { nodes, edges }: GetLineageResponse,
  root: string,
  direction: 'upstream' | 'downstream',
): readonly string[] => {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const next = (id: string) =>
    direction === 'downstream'
      ? edges.filter(({ from }) => from === id).map(({ to, relation }) => ({ id: to, relation }))
      : edges.filter(({ to }) => to === id).map(({ from, relation }) => ({ id: from, relation }));
  const seen = new Set<string>();
  const lines: string[] = [];
  const draw = (id: string, relation: string, indent: string, branch: string, below: string) => {
    const again = seen.has(id);
    lines.push(
      `${indent}${branch}${relation === '' ? '' : pc.dim(`${relation} `)}${describe(id, byId.get(id))}${again ? pc.dim(' (above)') : ''}`,
    );
    if (again) return;
    seen.add(id);
    const children = next(id);
    for (const [i, child] of children.entries()) {
      const isLast = i === children.length - 1;
      draw(child.id, child.relation, indent + below, isLast ? '└─ ' : '├─ ', isLast ? '   ' : '│  ');
    }
  };
  draw(root, '', '', '', '');
  return lines;
};

const describe = (id: string, node: LineageNode | undefined): string => {
  const facts = Object.entries(node?.attributes ?? {})
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
  return `${pc.cyan(plain(id))}${facts === '' ? '' : pc.dim(`  ${plain(facts)}`)}`;
};
