import { Resolver } from 'node:dns/promises';
import { Unavailable } from '@millrace/errors';

/** All addresses of a name. */
export type ResolveHost = (name: string, signal: AbortSignal) => Promise<readonly string[]>;

const loopback = ['127.0.0.1', '::1'];
const timeoutMs = 1_500;
const tries = 2;

/**
 * Asks the name servers themselves: the system's resolver would hold one of the process's few threads for as long as a
 * name server is silent, and those serve all the files of the process. So the hosts file and search domains do not count.
 */
export const resolveByDns: ResolveHost = async (name, signal) => {
  if (name === 'localhost' || name.endsWith('.localhost')) return loopback;
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (addresses.length > 0) return addresses;
    const failed = answers.find((answer) => answer.status === 'rejected');
    const code = (failed?.reason as { code?: string } | undefined)?.code ?? 'no address';
    throw new Unavailable(`the name "${name}" cannot be resolved: ${code}`);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
};
