/** The kinds of node, in the order in which a model's life passes through them. */
export const nodeKinds = [
  'commit',
  'source',
  'dataset_version',
  'split',
  'pipeline_run',
  'training_run',
  'model',
  'evaluation_report',
  'model_version',
  'alias',
  'endpoint_revision',
  'alert',
] as const;
export type NodeKind = (typeof nodeKinds)[number];

/** `<kind>:<id at its owner>`, for instance `model_version:flights/3`. */
export type NodeId = `${NodeKind}:${string}`;

export interface LineageNode {
  readonly id: NodeId;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Leads from cause to effect: downstream is towards endpoints and alerts. */
export interface LineageEdge {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly relation: Relation;
}

/** Reads as a verb between `from` and `to`. */
export type Relation =
  | 'ingested_as'
  | 'split_into'
  | 'ran_as'
  | 'produced'
  | 'reused_by'
  | 'trained'
  | 'evaluated'
  | 'admitted'
  | 'registered_as'
  | 'named'
  | 'serves'
  | 'raised';

/** What one event adds to the graph. Applying it again changes nothing. */
export interface GraphChange {
  /** Attributes are merged into what the node has; only events of the node's own entity give them. */
  readonly nodes?: readonly LineageNode[];
  readonly edges?: readonly LineageEdge[];
  readonly removedEdges?: readonly LineageEdge[];
  /** Merged into every node whose id begins so. */
  readonly patch?: {
    readonly idPrefix: string;
    readonly attributes: Readonly<Record<string, string>>;
  };
}

export const nodeId = (kind: NodeKind, id: string): NodeId => `${kind}:${id}`;

export const kindOf = (id: NodeId): NodeKind => id.slice(0, id.indexOf(':')) as NodeKind;

/** A node id from outside, or `undefined` when it names no known kind or nothing of it. */
export const parseNodeId = (text: string): NodeId | undefined => {
  const colon = text.indexOf(':');
  const known = nodeKinds.find((kind) => kind === text.slice(0, colon));
  return known !== undefined && colon + 1 < text.length ? (text as NodeId) : undefined;
};

/** An edge between two ids at their owners; nothing where either is not known. */
export const link = (
  from: readonly [NodeKind, string],
  relation: Relation,
  to: readonly [NodeKind, string],
): readonly LineageEdge[] =>
  from[1] === '' || to[1] === '' ? [] : [{ from: nodeId(...from), relation, to: nodeId(...to) }];

/** A node with those attributes that say something. */
export const describeNode = (
  kind: NodeKind,
  id: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
): readonly LineageNode[] => {
  if (id === '') return [];
  const told = Object.entries(attributes).filter(([, value]) => value !== undefined && value !== '');
  return [
    {
      id: nodeId(kind, id),
      attributes: Object.fromEntries(told.map(([name, value]) => [name, String(value)])),
    },
  ];
};
