import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Ends process `pid` when this process ends, however it ends (`kill -9` included): a shell waits for the end
 * of a pipe that only this process holds open. Call the result to stand it down. On Windows there is no such
 * shell; there the pid file's clean-up at the next start does it.
 */
export const endWithParent = (pid: number): (() => void) => {
  if (process.platform === 'win32') return () => {};
  const shell: ChildProcess = spawn('/bin/sh', ['-c', 'read _; kill -TERM "$0"', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Its own process group: Ctrl-C in a terminal must not end it before its duty.
    detached: true,
  });
  // It ends by `kill` below or with this process; a failing start is no reason to fail.
  shell.on('error', () => {});
  shell.stdin?.on('error', () => {});
  shell.unref();
  (shell.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  return () => shell.kill('SIGKILL');
};
