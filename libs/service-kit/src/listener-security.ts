import type { TlsFiles } from '@millrace/certificates';
import { type TlsMaterial, TlsStore } from '@millrace/certificates';
import { Invalid } from '@millrace/errors';
import type { Logger } from '@millrace/telemetry';
import type { ServiceName, Settings } from './settings.ts';

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/**
 * Refuses listeners that anybody on the network could use: without certificates, services are bound to loopback. The
 * gateway's HTTP listener is the edge, which asks users for tokens instead.
 *
 * @throws Invalid naming the setting
 */
export const requireProtectedListeners = (
  { service, host, grpcHost, tls, insecure }: Settings,
  log: { warn(facts: object, message: string): void },
): void => {
  if (tls !== undefined) return;
  const exposed = [grpcHost, ...(service === 'gateway' ? [] : [host])].find((name) => !isLoopback(name));
  if (exposed === undefined) return;
  if (insecure) {
    log.warn({ host: exposed }, 'MILLRACE_INSECURE: whoever reaches this address may call this service');
    return;
  }
  throw Invalid.field('MILLRACE_HOST', `${exposed} is beyond loopback, and ${service} has no certificate`, {
    hint:
      'Set MILLRACE_TLS_CA, MILLRACE_TLS_CERT and MILLRACE_TLS_KEY (`millrace certs create` makes them), ' +
      'or MILLRACE_INSECURE=1 on a network where every machine is trusted.',
  });
};

/**
 * Opens a service's certificates and keeps them up to date.
 *
 * @throws Invalid when a file cannot be used, or the certificate is another's
 */
export const openTls = async (files: TlsFiles, service: ServiceName, log: Logger): Promise<TlsStore> => {
  const tls = await TlsStore.open(files, {
    onProblem: (problem) =>
      log.error({ problem }, 'changed certificates cannot be used; those read before stay in use'),
    onExpiring: (expires) =>
      log.warn({ expires: expires.toISOString() }, 'the certificate ends within a day, or has ended'),
  });
  try {
    requireOwnCertificate(tls.current, files, service);
  } catch (thrown) {
    tls.close();
    throw thrown;
  }
  const tell = ({ expires }: TlsMaterial) =>
    log.info({ expires: expires?.toISOString() }, 'certificates read');
  tell(tls.current);
  tls.onChange(tell);
  return tls;
};

const requireOwnCertificate = ({ identity }: TlsMaterial, files: TlsFiles, service: ServiceName): void => {
  if (identity?.kind === 'service' && identity.name === service) return;
  const found = identity === undefined ? 'nobody of Millrace' : `${identity.kind} ${identity.name}`;
  throw Invalid.field(
    'MILLRACE_TLS_CERT',
    `${files.certificate} is the certificate of ${found}, not of ${service}`,
    {
      hint: `It needs exactly one URI, spiffe://millrace/service/${service}.`,
    },
  );
};
