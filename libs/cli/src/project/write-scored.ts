import { createReadStream, createWriteStream } from 'node:fs';
import { appendFile, lstat, mkdir, mkdtemp, readdir, readFile, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join, posix, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { MillraceClient } from '@millrace/client';
import type { Run } from '@millrace/contracts/pipeline';
import { Conflict, FailedPrecondition, Invalid } from '@millrace/errors';
import { type JsonObject, normalizeProjectPath, type Recipe } from '@millrace/recipe';

/** What a run of batch scoring made, as the project is to have it. */
interface ScoredOutput {
  readonly using: string;
  /** Relative to the project. */
  readonly location: string;
  readonly saveMode: string;
  readonly files: readonly ScoredFile[];
}

interface ScoredFile {
  readonly path: string;
  readonly digest: string;
}

/** Modes of Spark that refuse an output that is there. */
const refusing: ReadonlySet<string> = new Set(['default', 'error', 'errorifexists']);

const savePath = 'steps.predict.save_mode';

/**
 * Refuses a run whose predictions could not be written afterwards, before it begins. Throws `Conflict` when the output is
 * there and may not be touched, `Invalid` when it lies outside the project.
 */
export const checkScoredOutput = async (root: string, recipe: Recipe): Promise<void> => {
  const config = recipe.scoring.predict?.config;
  if (config === undefined) return;
  const { location } = config.output as JsonObject;
  await requireWritable(await placeOf(root, String(location)), String(location), String(config.save_mode));
};

/**
 * Writes the predictions of a run to the place in the project that its recipe names, by its save mode. Answers that place;
 * undefined when the run made none, or when the output was there and the mode is `ignore`.
 */
export const writeScoredOutput = async (
  client: MillraceClient,
  root: string,
  run: Run,
): Promise<string | undefined> => {
  const output = await scoredOutputOf(client, run);
  if (output === undefined) return undefined;
  const place = await placeOf(root, output.location);
  await requireWritable(place, output.location, output.saveMode);
  const there = await isThere(place);
  if (there && output.saveMode === 'ignore') return undefined;
  await mkdir(dirname(place), { recursive: true });
  // Beside the output, so that it takes its place in one step.
  const draft = await mkdtemp(join(dirname(place), '.millrace-scored-'));
  try {
    for (const { path, digest } of output.files) {
      const file = join(draft, ...normalizeProjectPath(path).split('/'));
      await mkdir(dirname(file), { recursive: true });
      await pipeline(await client.downloadBlob(digest), createWriteStream(file));
    }
    await (there && output.saveMode === 'append' ? append : replace)(output, draft, place);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return output.location;
};

const scoredOutputOf = async (client: MillraceClient, run: Run): Promise<ScoredOutput | undefined> => {
  const artifact = run.steps
    .flatMap(({ outputs }) => outputs)
    .find(({ kind, name }) => kind === 'scored_output' && name === 'scored_output');
  if (artifact === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of await client.downloadBlob(artifact.digest)) chunks.push(chunk as Uint8Array);
  const { files } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { files: readonly ScoredFile[] };
  const { using = '', location = '', saveMode = 'overwrite' } = artifact.attributes;
  return { using, location, saveMode: saveMode.toLowerCase(), files };
};

/** Absolute path of a location. Throws `Invalid` when it, or a link on the way to it, leaves the project. */
const placeOf = async (root: string, location: string): Promise<string> => {
  const home = await realpath(root);
  const place = join(home, ...normalizeProjectPath(location).split('/'));
  let known = place;
  while (known !== home && !(await isThere(known))) known = dirname(known);
  const inside = relative(home, await realpath(known));
  if (inside === '..' || inside.startsWith(`..${sep}`)) {
    throw Invalid.field('steps.predict.output.location', `"${location}" leads out of the project by a link`);
  }
  return place;
};

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

const requireWritable = async (place: string, location: string, saveMode: string): Promise<void> => {
  if (!refusing.has(saveMode.toLowerCase()) || !(await isThere(place))) return;
  throw new Conflict(`${location} exists, and \`save_mode: ${saveMode}\` does not replace it`, {
    violations: [{ path: savePath, message: `${location} exists` }],
    hint: 'Use `save_mode: overwrite` or `append`, another location, or move it away.',
  });
};

/** Whether the output is one file rather than a directory of parts, as its name says. */
const isOneFile = ({ using, location }: ScoredOutput): boolean =>
  using !== 'delta' && posix.extname(location) === `.${using}`;

const replace = async (output: ScoredOutput, draft: string, place: string): Promise<void> => {
  const [first] = output.files;
  const isDirectory = await lstat(place).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isOneFile(output) && !isDirectory && first !== undefined) {
    await rename(join(draft, first.path), place);
    return;
  }
  if (output.using !== 'delta' && first !== undefined) {
    await rename(join(draft, first.path), join(draft, partName(0, output.using)));
  }
  await rm(place, { recursive: true, force: true });
  await rename(draft, place);
};

/** Adds a part to a directory, or lines to a CSV file. Throws `FailedPrecondition` where rows cannot be added. */
const append = async (output: ScoredOutput, draft: string, place: string): Promise<void> => {
  const { using, location } = output;
  const added = join(draft, output.files[0]?.path ?? '');
  if (using !== 'delta' && (await lstat(place)).isDirectory()) {
    const parts = (await readdir(place)).filter((name) => name.endsWith(`.${using}`));
    const last = Math.max(-1, ...parts.map((name) => Number(/(\d+)/.exec(name)?.[1] ?? -1)));
    await rename(added, join(place, partName(last + 1, using)));
    return;
  }
  if (using !== 'csv') {
    throw new FailedPrecondition(`rows cannot be added to ${location}`, {
      hint: 'Give a directory as output.location, to which each run adds a file, or use `save_mode: overwrite`.',
    });
  }
  await appendLines(added, place, location);
};

const partName = (number: number, using: string): string =>
  `part-${String(number).padStart(5, '0')}.${using}`;

/** The header must be that of the file. */
const appendLines = async (added: string, place: string, location: string): Promise<void> => {
  const [before, after] = [await firstLine(place), await firstLine(added)];
  if (before !== after) {
    throw new FailedPrecondition(`the columns of ${location} differ from those that were scored`, {
      hint: 'Use another location, or `save_mode: overwrite`.',
    });
  }
  const lines = await readFile(added, 'utf8');
  const ends = (await readFile(place, 'utf8')).endsWith('\n');
  await appendFile(place, (ends ? '' : '\n') + lines.slice(lines.indexOf('\n') + 1));
};

const firstLine = async (path: string): Promise<string> => {
  let text = '';
  for await (const chunk of createReadStream(path, 'utf8')) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  return text.split(/\r?\n/, 1)[0] ?? '';
};
