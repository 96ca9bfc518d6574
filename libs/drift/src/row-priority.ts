import { hashText } from '@millrace/random';

/**
 * Priority of a row in the window's sample: a uniform 32-bit number that depends only on the row's identity, so
 * that the sample is the same in whatever order, however often and in however many parts the rows arrive.
 */
export const rowPriority = (rowId: string, seed: number): number => hashText(rowId, seed);
