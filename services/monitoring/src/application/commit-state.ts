import { Internal } from '@millrace/errors';
import type { Stored } from '@millrace/store';
import type { StreamState } from '../domain/stream-state.ts';
import type { Collections } from './ports.ts';

/** @throws Conflict when another process changed the state meanwhile. */
export const commitState = async (
  { streams }: Collections,
  { key, version }: Stored<StreamState>,
  document: StreamState,
): Promise<Stored<StreamState>> => {
  const result = await streams.commit({ key, expected: version, document });
  if (result.status !== 'committed' || result.stored === undefined) {
    throw new Internal(`the state of ${key} was not committed`);
  }
  return result.stored;
};
