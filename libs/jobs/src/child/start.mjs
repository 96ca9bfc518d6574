/**
 * The first module of a child. Plain JavaScript, since the first one never comes from the cache of compiled sources: to load
 * what strips types takes longer than all else that a child does before its job.
 */
await import('./main.ts');
