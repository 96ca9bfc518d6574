/** How long what other processes do on their own may take on a busy machine. Milliseconds. */
export const patienceMs = 120_000;
const intervalMs = 50;

/** What `look` finds, as soon as it finds something. Throws what was waited for, and the last error, when it is late. */
export const until = async <T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  deadlineMs = patienceMs,
): Promise<T> => {
  const deadline = performance.now() + deadlineMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const found = await look();
      if (found !== undefined) return found;
      last = undefined;
    } catch (thrown) {
      last = thrown;
    }
    await pause(intervalMs);
  }
  throw new Error(`${what} did not come within ${deadlineMs / 1000} s`, { cause: last });
};

/** Waits until a check no longer throws; then answers what it answered. */
export const eventually = <T>(what: string, check: () => T | Promise<T>, deadlineMs?: number): Promise<T> =>
  until(what, async () => ({ value: await check() }), deadlineMs).then(({ value }) => value);

/** For moments that are part of what a test tries, never to wait for something. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
