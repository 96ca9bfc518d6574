import { newUlid } from '@millrace/store';

/** A new id that sorts by creation: `run_01k3…`, 26 characters after the prefix, lower case. */
export const newId = (prefix: string): string => `${prefix}_${newUlid().toLowerCase()}`;
