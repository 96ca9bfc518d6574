import type { MillraceClient } from '@millrace/client';
import { Invalid, NotFound } from '@millrace/errors';
import type { CommandContext } from '../context.ts';
import { findProject } from '../project/upload-project.ts';
import { findRun } from '../references.ts';
import { fetchArtifact } from './fetch-artifact.ts';
import type { StepOfRun } from './latest-step.ts';
import { openPage } from './open-page.ts';
import { artifactDirectory } from './state-directory.ts';

export interface OpenOptions {
  /** Whether the page is shown in a browser, where there is a display. */
  readonly open: boolean;
}

interface ShownPage {
  readonly path: string;
  readonly step?: string;
  readonly run?: string;
}

/** Tells where a page lies, and opens it. */
export const showPage = (context: CommandContext, shown: ShownPage, open: boolean): void => {
  context.output.result(shown, ({ path }) => {
    context.output.write(path);
    if (open) openPage(path);
  });
};

/** Writes the card of a run's step below `root` and shows it. */
export const showCard = async (
  context: CommandContext,
  client: MillraceClient,
  { run: { id }, step }: StepOfRun,
  root: string,
  open: boolean,
): Promise<void> => {
  const card = step.outputs.find(({ kind }) => kind === 'card');
  if (card === undefined) {
    const failed = step.error === undefined ? '' : `; it failed: ${step.error.message}`;
    throw new NotFound(`step ${step.name} of ${id} has no card${failed}`, {
      hint: `What is known of it: millrace inspect ${id}`,
    });
  }
  const path = await fetchArtifact(client, card, artifactDirectory(root, step.name), 'card.html');
  showPage(context, { step: step.name, run: id, path }, open);
};

/** The card of one step of a run that is named, beside the directory where one is. */
export const inspectStep = async (
  context: CommandContext,
  reference: string,
  options: OpenOptions & { readonly step: string },
): Promise<void> => {
  const client = await context.client();
  const found = await findRun(client, reference);
  const step = found.steps.find(({ name }) => name === options.step);
  if (step === undefined) {
    throw Invalid.field('--step', `${found.id} has no step "${options.step}"`, {
      hint: `Its steps are ${found.steps.map(({ name }) => name).join(', ')}.`,
    });
  }
  const root = await findProject('.').catch(() => process.cwd());
  await showCard(context, client, { run: found, step }, root, options.open);
};
