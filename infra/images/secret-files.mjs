import { readFileSync } from 'node:fs';

/** Variables whose value may lie in a file, as an orchestrator mounts secrets: `<NAME>_FILE` is its path. */
export const secretVariables = [
  'MILLRACE_TOKEN',
  'MILLRACE_STORE_URL',
  'MILLRACE_SECRETS_KEY',
  'MILLRACE_KAFKA_SASL_PASSWORD',
];

/**
 * Sets each secret variable from its file, so that it shows neither in the image nor in the container's settings. An
 * empty path counts as not set.
 * @throws Error naming the variable when the file cannot be read, or when both are set
 */
export const readSecretFiles = (env) => {
  for (const name of secretVariables) {
    const path = env[`${name}_FILE`];
    if (path === undefined || path === '') continue;
    if (env[name]) throw new Error(`${name} and ${name}_FILE are both set: set one of them`);
    try {
      env[name] = readFileSync(path, 'utf8').trim();
    } catch (thrown) {
      throw new Error(`${name}_FILE: ${thrown.message}`);
    }
  }
};
