import pc from 'picocolors';

/** `850 ms`, `3.2 s`, `4 min 5 s`. */
export const duration = (ms: number): string => {
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
};

/** Time between two ISO 8601 instants; empty when either is missing. */
export const between = (from: string | undefined, to: string | undefined): string =>
  from === undefined || to === undefined ? '' : duration(Date.parse(to) - Date.parse(from));

/** `2026-03-01 12:00:05`, in the local time zone. */
export const time = (iso: string | undefined): string =>
  iso === undefined ? '' : new Date(iso).toLocaleString('sv-SE');

/** Up to six significant digits. */
export const figure = (value: number): string =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));

/** `RUN_STATE_RUNNING` → `running`. */
export const word = (literal: string, prefix: string): string =>
  literal.replace(`${prefix}_`, '').toLowerCase().replaceAll('_', ' ');

const good = new Set([
  'succeeded',
  'cached',
  'finished',
  'validated',
  'approved',
  'promoted',
  'ready',
  'resolved',
]);
const bad = new Set(['failed', 'rejected', 'raised', 'critical', 'killed', 'rolled back']);
const open = new Set(['running', 'waiting', 'queued', 'pending', 'in progress', 'starting', 'warning']);

/** A state in its colour. */
export const state = (text: string): string => {
  if (good.has(text)) return pc.green(text);
  if (bad.has(text)) return pc.red(text);
  return open.has(text) ? pc.yellow(text) : text;
};

/** First 12 hex digits of a digest. */
export const short = (digest: string): string => digest.replace('sha256:', '').slice(0, 12);
