/** Variables that a child inherits: where programs are and how text and time are written. Nothing else. */
const inherited = ['PATH', 'LANG', 'LC_ALL', 'TZ'] as const;

/** The whole environment of a child: inherited variables, its own directories, and what the caller adds. */
export const childEnvironment = (
  parent: Readonly<Record<string, string | undefined>>,
  directory: string,
  added: Readonly<Record<string, string>> = {},
): Record<string, string> => ({
  ...Object.fromEntries(
    inherited.flatMap((name) => {
      const value = parent[name];
      return value === undefined ? [] : [[name, value]];
    }),
  ),
  HOME: directory,
  TMPDIR: directory,
  ...added,
});
