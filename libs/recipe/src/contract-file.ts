import { pathText } from './document/path-text.ts';
import { type Finding, parseTemplatedYaml } from './document/yaml-document.ts';
import type { Fields } from './rules/rule.ts';
import { checkContract } from './schema-check.ts';
import { normalizeProjectPath } from './snapshot/project-path.ts';
import type { ProjectFiles } from './types.ts';

/** Replaces `ingest.contract: <file>` by the file's content, so that the step needs no other file. */
export const inlineContract = (
  content: Fields,
  files: ProjectFiles,
): { readonly content: Fields; readonly findings: readonly Finding[] } => {
  const file: unknown = content.steps.ingest.contract;
  if (typeof file !== 'string') return { content, findings: [] };
  const parsed = readContract(file, files);
  if (parsed.document === undefined) return { content, findings: parsed.findings };
  const { document } = parsed;
  const problems = checkContract(document.content);
  if (problems.length > 0) {
    const findings = problems.map(({ path, part, message }) => ({
      file: document.file,
      position: document.locate(path, part),
      path: pathText(path),
      message,
    }));
    return { content, findings };
  }
  const ingest = { ...content.steps.ingest, contract: document.content };
  return { content: { ...content, steps: { ...content.steps, ingest } }, findings: [] };
};

const readContract = (file: string, files: ProjectFiles): ReturnType<typeof parseTemplatedYaml> => {
  const missing = (message: string): Finding => ({
    file,
    position: { line: 1, column: 1 },
    path: '',
    message,
  });
  try {
    const path = normalizeProjectPath(file);
    const text = files.readFile(path);
    if (text === undefined)
      return { document: undefined, findings: [missing('the project has no such file')] };
    return parseTemplatedYaml(path, text, { variables: {}, readFile: () => undefined });
  } catch {
    return { document: undefined, findings: [missing('lies outside the project')] };
  }
};
