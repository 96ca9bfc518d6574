/** The part of nunjucks that has no published types: its parser and its filters. */
declare module 'nunjucks' {
  export interface ParsedNode {
    readonly typename: string;
    /** Counted from 0. */
    readonly lineno: number;
    /** Counted from 0. */
    readonly colno: number;
    readonly [field: string]: unknown;
  }
  const nunjucks: {
    readonly parser: {
      parse(source: string, extensions: readonly unknown[], options: object): ParsedNode;
    };
  };
  export default nunjucks;
}

declare module 'nunjucks/src/filters.js' {
  const filters: Readonly<Record<string, (value: unknown, ...args: unknown[]) => unknown>>;
  export default filters;
}
