export const secretVariables: readonly string[];
export const readSecretFiles: (env: Record<string, string | undefined>) => void;
