import { asMillraceError, isRetryable } from '@millrace/errors';
import { until } from './wait.ts';

/** Repeats a call while what answers it is away. The call must be safe to repeat. */
export const retried = async <T>(what: string, call: () => Promise<T>): Promise<T> => {
  const answer = await until<{ value: T } | { thrown: unknown }>(what, async () => {
    try {
      return { value: await call() };
    } catch (thrown) {
      if (isRetryable(asMillraceError(thrown).code)) throw thrown;
      return { thrown };
    }
  });
  if ('thrown' in answer) throw answer.thrown;
  return answer.value;
};
