import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * A text that is the same for one process during its life and differs when its pid is used again (pid and
 * start time); `undefined` when no such process lives.
 */
export const identityOf = (pid: number): string | undefined => {
  if (process.platform === 'linux') return identityFromProc(pid);
  try {
    process.kill(pid, 0);
    const started = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
    return `${pid} ${started.trim()}`;
  } catch {
    return undefined;
  }
};

const identityFromProc = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name is in parentheses and may hold spaces; fields are counted after it (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state] = fields;
    const startTime = fields[19];
    return state === 'Z' ? undefined : `${pid} ${startTime}`;
  } catch {
    return undefined;
  }
};
