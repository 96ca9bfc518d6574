import { readFile } from 'node:fs/promises';

/** Bytes per page of `/proc/<pid>/statm` on the platforms that Node supports. */
const pageBytes = 4096;
const checkEveryMs = 250;

/**
 * Calls back once when the process holds more than `limitMb` in memory (resident set). V8's own limit covers
 * the JavaScript heap only; buffers and WebAssembly lie outside. Where there is no `/proc` it watches nothing.
 */
export const watchMemory = (pid: number, limitMb: number, onExceeded: () => void): (() => void) => {
  const timer = setInterval(async () => {
    const statm = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '');
    const resident = Number(statm.split(' ')[1] ?? 0) * pageBytes;
    if (resident > limitMb * 1024 * 1024) {
      clearInterval(timer);
      onExceeded();
    }
  }, checkEveryMs);
  timer.unref();
  return () => clearInterval(timer);
};
