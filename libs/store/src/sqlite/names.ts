// Names and paths have passed the grammar of `indexesOf`, so that quoting them is safe.
export const documentTable = (collection: string): string => `"documents:${collection}"`;
export const mapTable = (collection: string, map: string): string => `"map:${collection}:${map}"`;
export const fieldColumn = (path: string): string => `"f:${path}"`;
