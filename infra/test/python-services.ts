import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const services = join(import.meta.dirname, '..', '..', 'services');

/** Whether a service starts Python itself: it declares the library that does. */
export const runsPython = (service: string): boolean => {
  const manifest = JSON.parse(readFileSync(join(services, service, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  return '@millrace/python-runtime' in manifest.dependencies;
};
