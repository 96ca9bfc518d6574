import type { ServerResponse } from 'node:http';

const waiting = Symbol('waiting for the end');

interface Waited extends ServerResponse {
  [waiting]?: (() => void)[];
}

/**
 * Calls back when an answer has ended: in order, by an error, or because the client is gone. Several wait for the end of
 * each answer of a busy listener: together they cost one listener of the response.
 */
export const whenClosed = (response: ServerResponse, callback: () => void): void => {
  const waited: Waited = response;
  const known = waited[waiting];
  if (known !== undefined) {
    known.push(callback);
    return;
  }
  const callbacks = [callback];
  waited[waiting] = callbacks;
  response.once('close', () => {
    for (const each of callbacks) each();
  });
};
