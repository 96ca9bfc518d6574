import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serviceNames } from '@millrace/service-kit';
import { secretVariables } from '../images/secret-files.mjs';

const file = join(import.meta.dirname, '..', '..', 'docs', 'configuration.md');

/** The variables that have a row in docs/configuration.md. */
export const documentedVariables = (): readonly string[] =>
  [...readFileSync(file, 'utf8').matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name ?? '');

/** Read by the client of the object store and by uv, as their documentation says. */
const foreign = new Set([
  'AWS_SHARED_CREDENTIALS_FILE',
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'UV_DEFAULT_INDEX', 'UV_INDEX'],
]);

/** Whether a variable that a container is given is one that Millrace documents. */
export const isDocumented = (name: string): boolean => {
  if (foreign.has(name) || secretVariables.some((secret) => name === `${secret}_FILE`)) return true;
  const address = /^MILLRACE_([A-Z]+)_(GRPC|HTTP)$/.exec(name)?.[1]?.toLowerCase();
  if (address !== undefined && (serviceNames as readonly string[]).includes(address)) return true;
  return documentedVariables().includes(name);
};
