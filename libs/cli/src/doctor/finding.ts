/** `warn`: it works, and will not for ever. `fail`: something does not work. */
export type FindingState = 'ok' | 'warn' | 'fail';

/** What a check found out. */
export interface Finding {
  readonly check: string;
  readonly state: FindingState;
  readonly found: string;
  /** What to do about it, unless it is well. */
  readonly advice?: string;
}

export const ok = (check: string, found: string): Finding => ({ check, state: 'ok', found });
export const warn = (check: string, found: string, advice: string): Finding => ({
  check,
  state: 'warn',
  found,
  advice,
});
export const fail = (check: string, found: string, advice: string): Finding => ({
  check,
  state: 'fail',
  found,
  advice,
});
