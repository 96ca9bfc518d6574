import type { ColumnSchema } from '@millrace/tabular';
import type { DatePart } from './spec.ts';

/** Imputes, then `(value - center) / scale`. */
export interface NumericStep {
  readonly kind: 'numeric';
  readonly column: string;
  /** Stands for a missing value; `null` leaves it missing. */
  readonly fill: number | null;
  readonly center: number;
  readonly scale: number;
  /** Whether `<column>__missing` is added. */
  readonly indicator: boolean;
}

/** One output column per category, `1` where the value is it. A value never seen in training is all zeros. */
export interface OneHotStep {
  readonly kind: 'one_hot';
  readonly column: string;
  readonly fill: string | null;
  readonly categories: readonly string[];
  /** Categories too rare for a column of their own; together they are `<column>__other`. */
  readonly rare: readonly string[];
}

export interface DateStep {
  readonly kind: 'date';
  readonly column: string;
  readonly parts: readonly DatePart[];
  readonly cyclical: boolean;
  /** Epoch milliseconds in place of a missing value: the training split's median. */
  readonly fill: number;
}

/** The column as it is, with missing values filled if `fill` is not `null`. */
export interface KeepStep {
  readonly kind: 'keep';
  readonly column: string;
  readonly fill: string | number | boolean | null;
}

export type TransformStep = NumericStep | OneHotStep | DateStep | KeepStep;

/** A fitted built-in transform: plain JSON, everything `applyTransform` needs. */
export interface TransformState {
  readonly format: 'millrace.transform/v1';
  /** Columns read, as they were in the training split. */
  readonly inputs: readonly ColumnSchema[];
  readonly steps: readonly TransformStep[];
  /** Columns left out although nobody asked for it, and why. */
  readonly dropped: readonly { readonly column: string; readonly reason: string }[];
}
