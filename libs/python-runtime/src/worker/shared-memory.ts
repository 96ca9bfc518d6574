import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const directory = '/dev/shm';

/**
 * Removes what a killed worker left in shared memory: semaphores of joblib's processes and the arrays that it shares with them.
 * Their names hold the worker's process id. Where there is no such directory there is nothing to do.
 */
export const removeSharedMemory = async (pid: number): Promise<void> => {
  const names = await readdir(directory).catch(() => [] as string[]);
  const left = names.filter(
    (name) => name.startsWith(`sem.loky-${pid}-`) || name.startsWith(`joblib_memmapping_folder_${pid}_`),
  );
  await Promise.all(left.map((name) => rm(join(directory, name), { recursive: true, force: true })));
};
