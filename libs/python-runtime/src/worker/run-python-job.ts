import { abortError } from '@millrace/jobs';
import type { PythonJobOptions } from '../contract.ts';
import { PythonProcess } from './python-process.ts';

/**
 * Does one job in a fresh Python process, which is gone with everything it started when this resolves or rejects.
 *
 * Throws `Invalid` when the user's code raises (naming file and line), `TimedOut`, `Cancelled` (or the signal's reason),
 * `Exhausted` when it needs too much memory, `Unavailable` when somebody else killed it, `Internal` otherwise.
 */
export const runPythonJob = async <Output>(options: PythonJobOptions): Promise<Output> => {
  if (options.signal?.aborted) throw abortError(options.signal);
  const worker = await PythonProcess.start(options);
  try {
    return (await worker.call<Output>(options.job, options.input, options)).output;
  } finally {
    // Its last lines of output are read by then.
    await worker.kill();
  }
};
