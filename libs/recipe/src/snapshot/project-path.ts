import { Invalid } from '@millrace/errors';

const maxPathLength = 1024;

/**
 * The one spelling of a path inside a project: relative, `/` between parts, no `.` or `..`. Throws `Invalid`
 * for a path that is absolute, leaves the project, or holds characters that no file system carries safely.
 */
export const normalizeProjectPath = (path: string): string => {
  const refuse = (why: string): never => {
    throw Invalid.field(JSON.stringify(path.slice(0, 200)), why, {
      hint: 'Use a path relative to the project, with / between its parts.',
    });
  };
  if (path === '' || path.length > maxPathLength) return refuse(`must have 1 to ${maxPathLength} characters`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\u0000-\u001f\u007f\\]/.test(path)) return refuse('must not hold a backslash or control character');
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path) || path.startsWith('~'))
    return refuse('must be relative');
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) return refuse('must not leave the project');
  if (parts.length === 0) return refuse('must name something inside the project');
  return parts.join('/');
};

/** Whether a path, glob or directory stays inside the project; `.` is the project itself. */
export const isContained = (path: string): boolean => {
  if (/^\.\/*$/.test(path)) return true;
  try {
    normalizeProjectPath(path);
    return true;
  } catch {
    return false;
  }
};
