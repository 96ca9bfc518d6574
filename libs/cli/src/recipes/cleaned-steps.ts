import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Run, StepState } from '@millrace/contracts/pipeline';
import { stateDirectory } from './state-directory.ts';

/**
 * Steps whose outputs somebody cleaned in this project: its next run does them anew, and until then they have no
 * artifacts. Kept beside the project, since it is this copy of it that was cleaned; nothing at the platform changes.
 */
const fileOf = (root: string): string => join(stateDirectory(root), 'cleaned.json');

export const readCleanedSteps = async (root: string): Promise<ReadonlySet<string>> => {
  try {
    const { steps } = JSON.parse(await readFile(fileOf(root), 'utf8')) as { steps?: unknown };
    return new Set(Array.isArray(steps) ? steps.map(String) : []);
  } catch {
    // Missing, or cut off by a crash: a step that is not marked is cached, which is safe.
    return new Set();
  }
};

const writeCleanedSteps = async (root: string, steps: ReadonlySet<string>): Promise<void> => {
  const file = fileOf(root);
  if (steps.size === 0) return rm(file, { force: true });
  await mkdir(stateDirectory(root), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.${process.pid}`, `${JSON.stringify({ steps: [...steps] })}\n`);
  await rename(`${file}.${process.pid}`, file);
};

export const markCleaned = async (root: string, steps: readonly string[]): Promise<void> =>
  writeCleanedSteps(root, new Set([...(await readCleanedSteps(root)), ...steps]));

/** Takes the mark off the steps that a run has done anew. */
export const unmarkDone = async (root: string, run: Run): Promise<void> => {
  const cleaned = await readCleanedSteps(root);
  if (cleaned.size === 0) return;
  const done = run.steps.filter(({ state }) => state === StepState.STEP_STATE_SUCCEEDED);
  const left = [...cleaned].filter((step) => !done.some(({ name }) => name === step));
  if (left.length < cleaned.size) await writeCleanedSteps(root, new Set(left));
};

/** The first of the steps, in their order, that is cleaned or is asked for; up to the last one that is wanted. */
export const firstAnew = (
  order: readonly string[],
  cleaned: ReadonlySet<string>,
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
): string | undefined => {
  const end = to === undefined ? order.length : order.indexOf(to) + 1;
  const first = order.slice(0, end).find((step) => step === from || cleaned.has(step));
  return first ?? from;
};
