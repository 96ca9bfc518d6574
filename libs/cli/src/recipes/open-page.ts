import { spawn } from 'node:child_process';

/** Opens a page in the person's browser where there is a display; otherwise its path has to do. */
export const openPage = (path: string): void => {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  const onMac = process.platform === 'darwin';
  if (!process.stdout.isTTY || (!onMac && !DISPLAY && !WAYLAND_DISPLAY)) return;
  const opener = spawn(onMac ? 'open' : 'xdg-open', [path], { stdio: 'ignore', detached: true });
  opener.on('error', () => {});
  opener.unref();
};
