import { formatNumber } from '@millrace/cards';

/** `0.81 … 0.86` */
export const intervalText = (
  interval: { readonly low: number; readonly high: number } | undefined,
): string =>
  interval === undefined ? '–' : `${formatNumber(interval.low, 4)} … ${formatNumber(interval.high, 4)}`;

/** `+0.02`, with its sign. */
export const signed = (value: number): string =>
  value > 0 ? `+${formatNumber(value, 4)}` : formatNumber(value, 4);
