/** The library that makes certificates. Loaded where one is made only: services use certificates, and make none. */
export const loadX509 = async () => {
  await import('reflect-metadata');
  return import('@peculiar/x509');
};
