import { StorageServiceService } from '@millrace/contracts/storage';
import type { Runtime, ServiceName } from '@millrace/service-kit';
import type { StorageOwner } from '../application/garbage/collect-garbage.ts';

/**
 * The services whose documents refer to blobs, in the order in which they are cleaned: what refers to others comes
 * first. The gateway and the bridge keep only what has happened.
 */
const owning: readonly ServiceName[] = [
  'pipeline',
  'monitoring',
  'deployment',
  'registry',
  'evaluation',
  'training',
  'ingest',
];

export const storageOwners = (peer: Runtime['peer']): readonly StorageOwner[] =>
  owning.map((service) => ({ service, storage: peer(service, StorageServiceService) }));
