import { execFile } from 'node:child_process';
import { join } from 'node:path';

const main = join(import.meta.dirname, '..', '..', 'libs', 'cli', 'src', 'main.ts');

export interface CliAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real command line, as a process of its own. */
export const millraceCommand = (
  args: readonly string[],
  { dataDir, cwd }: { readonly dataDir: string; readonly cwd: string },
): Promise<CliAnswer> =>
  new Promise((resolve) => {
    const env = { ...process.env, MILLRACE_DATA_DIR: dataDir, NO_COLOR: '1' };
    execFile(process.execPath, [main, ...args], { cwd, env }, (error, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
