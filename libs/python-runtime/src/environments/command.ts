import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  readonly signal?: AbortSignal;
  /** Takes each line of its error output, where tools show their progress. */
  readonly onLine?: (line: string) => void;
}

export interface CommandResult {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Variables of a Python or an environment that is active around Millrace, which would lead its tools astray. */
const misleading = /^(?:PYTHON[A-Z]*|VIRTUAL_ENV|CONDA_PREFIX|UV_PROJECT.*|UV_PYTHON)$/;
/** Millrace's own, secrets among them: building a package runs its code. */
const ours = /^(?:MILLRACE_|NATS_|OTEL_)/;

/**
 * The environment that package tools run in: what configures them (proxies, indexes, certificates, caches) stays. `uv` does
 * not read pip's variables; those that say where packages come from are handed to it under its own names.
 */
export const toolEnvironment = (env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv => ({
  ...(env.PIP_INDEX_URL ? { UV_DEFAULT_INDEX: env.PIP_INDEX_URL } : {}),
  ...(env.PIP_EXTRA_INDEX_URL ? { UV_INDEX: env.PIP_EXTRA_INDEX_URL } : {}),
  ...(env.PIP_FIND_LINKS ? { UV_FIND_LINKS: env.PIP_FIND_LINKS.split(/\s+/).join(',') } : {}),
  ...(env.PIP_CERT ? { SSL_CERT_FILE: env.PIP_CERT } : {}),
  ...Object.fromEntries(Object.entries(env).filter(([name]) => !misleading.test(name) && !ours.test(name))),
});

/** Runs a program to its end, whatever its exit code. Killed with what it started when the signal says so. */
export const runCommand = async (
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> => {
  options.signal?.throwIfAborted();
  const child = spawn(command, [...args], {
    cwd: options.cwd,
    env: options.env ?? toolEnvironment(),
    stdio: ['pipe', 'pipe', 'pipe'],
    // Builds of packages start compilers: they are to end with it.
    detached: true,
  });
  const kill = () => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  options.signal?.addEventListener('abort', kill, { once: true });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  createInterface(child.stderr).on('line', (line) => {
    stderr += `${line}\n`;
    options.onLine?.(line);
  });
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    options.signal?.throwIfAborted();
    return { code, stdout, stderr };
  } finally {
    options.signal?.removeEventListener('abort', kill);
  }
};
