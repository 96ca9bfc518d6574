import { InferenceBatch, InferenceBatchHead, type InferenceRecord } from '@millrace/contracts/deployment';
import { Invalid, messageOf } from '@millrace/errors';

/** A batch as it came: its records are read when it is their turn, since until then thousands of them would be held. */
export interface ReceivedBatch extends InferenceBatchHead {
  /** Bytes that the whole batch takes. */
  readonly size: number;
  /** Throws `Invalid` when they cannot be read. */
  readonly records: () => readonly InferenceRecord[];
}

const decoded = <T>(codec: { decode(bytes: Uint8Array): T }, bytes: Uint8Array): T => {
  try {
    return codec.decode(bytes);
  } catch (cause) {
    throw new Invalid(`not an inference batch: ${messageOf(cause)}`, { cause });
  }
};

/** Throws `Invalid` on bytes that can never be applied, as far as that is seen without the records. */
export const receiveBatch = (bytes: Uint8Array): ReceivedBatch => {
  const head = decoded(InferenceBatchHead, bytes);
  const { endpoint, source, sequence } = head;
  if (endpoint === '') throw Invalid.field('endpoint', 'is required');
  if (source === '' || source.length > 200) throw Invalid.field('source', 'must be 1 to 200 characters');
  if (!Number.isSafeInteger(sequence) || sequence < 1) throw Invalid.field('sequence', 'must be 1 or more');
  return { ...head, size: bytes.length, records: () => timed(decoded(InferenceBatch, bytes)) };
};

const timed = ({ records }: InferenceBatch): readonly InferenceRecord[] => {
  const timeless = records.findIndex(({ time }) => Number.isNaN(Date.parse(time ?? '')));
  if (timeless >= 0) throw Invalid.field(`records[${timeless}].time`, 'is no time');
  return records;
};
