import { Invalid } from '@millrace/errors';

const servicePattern = /^[a-z][a-z0-9_-]*$/;

/** Throws `Invalid` unless it can name the service that owns a store. */
export const checkService = (service: string): void => {
  if (!servicePattern.test(service)) {
    throw Invalid.field('service', `"${service}" is not a service's name`);
  }
};
