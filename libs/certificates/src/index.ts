export {
  beginAuthorityChange,
  type CertificateOutcome,
  type CertificateState,
  type CertificateSummary,
  type CreateCertificatesOptions,
  createCertificates,
  defaultDays,
  describeCertificates,
  endAuthorityChange,
  type Outcome,
  type RenewCertificatesOptions,
  renewCertificates,
  revokeCertificate,
  standardHolders,
} from './certificates.ts';
export {
  type HolderKind,
  type Identity,
  identityOf,
  identityText,
  identityUri,
} from './identity.ts';
export {
  expectServer,
  type TlsFiles,
  type TlsMaterial,
  TlsStore,
  type TlsStoreOptions,
  tlsFilesIn,
} from './tls-store.ts';
