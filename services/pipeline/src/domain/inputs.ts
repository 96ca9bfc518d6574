import type { Actor } from '@millrace/contracts/common';
import type { Artifact, StepError } from '@millrace/contracts/step';
import type { CacheDecision, Components } from './run.ts';

/** How a worker says that an attempt ended. */
export interface StepReport {
  readonly step: string;
  readonly attempt: number;
  readonly lease: number;
  readonly outputs: readonly Artifact[];
  readonly summary?: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
  readonly workMs: number;
  /** Absent when it succeeded. */
  readonly error?: StepError;
}

/** Outputs of an earlier run that a step may take over. */
export interface ReusableOutputs {
  readonly outputs: readonly Artifact[];
  readonly summary?: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
  readonly madeAt: number;
  readonly madeBy: string;
}

export interface CacheLookup {
  readonly step: string;
  readonly components: Components;
  readonly fingerprint: string;
  readonly decision: CacheDecision;
  /** Present with a hit. */
  readonly reusable?: ReusableOutputs;
}

/** Everything that can happen to a run. */
export type RunInput =
  | { readonly kind: 'begin' }
  | { readonly kind: 'cache_consulted'; readonly lookup: CacheLookup }
  | {
      readonly kind: 'approval_known';
      readonly step: string;
      /** `flights/3` */
      readonly subject: string;
      readonly verdict: 'approved' | 'not_needed' | 'pending' | 'rejected';
      readonly reason: string;
    }
  | { readonly kind: 'step_reported'; readonly report: StepReport }
  /** Time passed. */
  | { readonly kind: 'tick' }
  | { readonly kind: 'cancel'; readonly actor: Actor }
  /** `spanIds`: new ones, for the run and for each of its steps in order. */
  | { readonly kind: 'resume'; readonly actor: Actor; readonly spanIds: readonly string[] }
  /** The spans of the ended run were emitted. */
  | { readonly kind: 'traced' };
