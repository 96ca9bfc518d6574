/** The release that Millrace is tested with and installs. */
export const pinnedVersion = '2.15.2';

/** Older servers lack `sync_interval`, per-message limits and security fixes that the bus relies on. */
export const minimumVersion = '2.11.0';

/** `2.15.2` from `nats-server: v2.15.2`; `undefined` when there is no version in the text. */
export const parseVersion = (text: string): string | undefined => /\bv?(\d+\.\d+\.\d+)/.exec(text)?.[1];

/** Whether `version` is `minimum` or newer, by its three numbers. */
export const isAtLeast = (version: string, minimum: string): boolean => {
  const found = version.split('.').map(Number);
  const needed = minimum.split('.').map(Number);
  for (const [i, need] of needed.entries()) {
    const have = found[i] ?? 0;
    if (have !== need) return have > need;
  }
  return true;
};
