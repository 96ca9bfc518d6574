import type { ServerResponse } from 'node:http';

export interface StallOptions {
  /** Milliseconds that a reader may take nothing while something waits for it. */
  readonly stallMs: number;
  /** Told why an answer was cut. */
  readonly onStalled: (reason: string) => void;
}

/**
 * Cuts an answer off whose reader takes nothing: it may be slow, but it holds a file or a consumer of the broker open. It
 * can not be told, since it takes nothing; the log can.
 *
 * @param what is being sent, for the reason
 */
export const cutWhenStalled = (
  response: ServerResponse,
  what: string,
  { stallMs, onStalled }: StallOptions,
): void => {
  let before: number | undefined;
  const look = setInterval(() => {
    const { socket } = response;
    if (socket === null) return;
    const waits = socket.writableLength > 0;
    const taken = socket.bytesWritten - socket.writableLength;
    if (waits && taken === before) {
      onStalled(`the reader of ${what} took nothing for ${stallMs / 1_000} s`);
      response.destroy();
    }
    before = waits ? taken : undefined;
  }, stallMs);
  look.unref();
  response.once('close', () => clearInterval(look));
};
