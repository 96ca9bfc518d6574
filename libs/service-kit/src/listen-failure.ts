import { FailedPrecondition, messageOf } from '@millrace/errors';

/** What a listener says that cannot have its address; `variable` is the setting that chooses another port. */
export const listenFailure = (address: string, variable: string, thrown: unknown): FailedPrecondition =>
  new FailedPrecondition(`cannot listen on ${address}: ${messageOf(thrown)}`, {
    cause: thrown,
    hint: `Something else may use the port: end it, or choose another with ${variable} (0 takes any).`,
  });
