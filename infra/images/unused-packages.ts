/**
 * Packages that libraries of a service declare, that are loaded on use only, and that the service never uses: its image
 * lacks them. A test holds the sources to it.
 */
const queryEngine = ['@duckdb/node-api'];

export const unusedPackages: Readonly<Record<string, readonly string[]>> = {
  registry: queryEngine,
  monitoring: queryEngine,
  pipeline: queryEngine,
  bridge: queryEngine,
  gateway: queryEngine,
};
