import manifest from '../package.json' with { type: 'json' };

/** Versions of the libraries that fit and predict. They are pinned, so these are the ones installed. */
export const packageVersions: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(manifest.dependencies)
    .filter(([, version]) => version !== '*')
    .sort(([a], [b]) => (a < b ? -1 : 1)),
);
