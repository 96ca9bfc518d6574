import type { SpanRecord } from '@millrace/telemetry';
import pc from 'picocolors';
import { duration } from '../format.ts';
import { plain } from '../output.ts';

interface Node {
  readonly span: SpanRecord;
  readonly children: Node[];
}

/** A trace as lines of a tree, children by their start; spans whose parent is missing stand at the top. */
export const traceTree = (spans: readonly SpanRecord[], minMs = 0): readonly string[] => {
  const nodes = new Map(spans.map((span) => [span.spanId, { span, children: [] as Node[] }]));
  const roots: Node[] = [];
  for (const node of nodes.values()) {
    const parent = nodes.get(node.span.parentSpanId ?? '');
    (parent === undefined ? roots : parent.children).push(node);
  }
  const isShown = ({ span, children }: Node): boolean => span.duration >= minMs || children.some(isShown);
  const first = Math.min(...spans.map(({ start }) => start));
  const lines: string[] = [];
  const draw = (node: Node, indent: string, branch: string, below: string) => {
    lines.push(`${indent}${branch}${describe(node.span, first)}`);
    const children = node.children.filter(isShown).sort((a, b) => a.span.start - b.span.start);
    for (const [i, child] of children.entries()) {
      const isLast = i === children.length - 1;
      draw(child, indent + below, isLast ? '└─ ' : '├─ ', isLast ? '   ' : '│  ');
    }
  };
  for (const root of roots.sort((a, b) => a.span.start - b.span.start)) draw(root, '', '', '');
  return lines;
};

const describe = (span: SpanRecord, first: number): string => {
  const took = duration(span.duration);
  const error = span.error === undefined ? '' : pc.red(` ${plain(span.error)}`);
  const links =
    span.links.length === 0 ? '' : pc.dim(` ↪ ${span.links.length} link${span.links.length > 1 ? 's' : ''}`);
  return `${pc.cyan(span.service)} ${plain(span.name)} ${pc.bold(took)} ${pc.dim(`+${duration(Math.max(0, span.start - first))}`)}${links}${error}`;
};
