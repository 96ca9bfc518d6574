import { createCertificates, tlsFilesIn } from '@millrace/certificates';
import { messageOf } from '@millrace/errors';
import { type Env, type ServiceName, serviceNames } from '@millrace/service-kit';
import type { Logger } from '@millrace/telemetry';

/** Milliseconds between two looks whether a certificate is due: an hour. */
const renewalMs = 3_600_000;

/**
 * Makes the certificates of all services, where a directory for them is given, and renews them while the installation
 * runs: services read them again by themselves.
 */
export const developmentCertificates = async (
  directory: string | undefined,
  log: Logger,
): Promise<{ stop: () => void }> => {
  if (directory === undefined) return { stop: () => {} };
  const make = () => createCertificates({ directory, services: serviceNames, now: new Date() });
  await make();
  const timer = setInterval(() => {
    make().catch((thrown: unknown) =>
      log.error({ problem: messageOf(thrown) }, 'certificates were not renewed'),
    );
  }, renewalMs);
  return { stop: () => clearInterval(timer) };
};

/** By which a service finds its own. */
export const tlsEnvOf = (directory: string, service: ServiceName): Env => {
  const { ca, certificate, key, crl } = tlsFilesIn(directory, service);
  return {
    MILLRACE_TLS_CA: ca,
    MILLRACE_TLS_CERT: certificate,
    MILLRACE_TLS_KEY: key,
    MILLRACE_TLS_CRL: crl,
  };
};
