import type { BlobStore } from '@millrace/blobs';
import {
  badge,
  type CardSection,
  code,
  facts,
  formatBytes,
  list,
  note,
  paragraph,
  preformatted,
  renderCard,
  type SafeHtml,
  shortDigest,
  subheading,
  type Tone,
  table,
  warningsSection,
} from '@millrace/cards';
import type { Artifact, StepCommand } from '@millrace/contracts/step';
import { type MillraceError, messageOf } from '@millrace/errors';
import type { StepContext, StepResult } from './step-worker.ts';

/** A step's card as one of its outputs. */
export interface CardArtifact {
  readonly name: 'card';
  readonly kind: 'card';
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly mediaType: 'text/html';
}

/** Stores a card, to be listed among the outputs of its step. */
export const putCard = async (blobs: Pick<BlobStore, 'put'>, page: string): Promise<CardArtifact> => {
  const { digest, size } = await blobs.put(new TextEncoder().encode(page));
  return { name: 'card', kind: 'card', digest, size, mediaType: 'text/html' };
};

/**
 * The result with the card that `draw` makes of it. Nobody should lose a trained model because its card could not be
 * drawn: what goes wrong there is logged and becomes a warning. A card that cannot be stored fails the step, since it
 * would fail for its other outputs too.
 */
export const withCard = async (
  { log, signal }: Pick<StepContext, 'log' | 'signal'>,
  blobs: Pick<BlobStore, 'put'>,
  result: StepResult,
  draw: (result: StepResult) => string | Promise<string>,
): Promise<StepResult> => {
  let page: string;
  try {
    page = await draw(result);
  } catch (thrown) {
    signal.throwIfAborted();
    log.error({ err: thrown }, 'the card could not be drawn');
    return {
      ...result,
      warnings: [...(result.warnings ?? []), `the card could not be drawn: ${messageOf(thrown)}`],
    };
  }
  return { ...result, outputs: [...result.outputs, await putCard(blobs, page)] };
};

export interface StepCardOptions {
  /** What the step did, in the title: `Ingest`. */
  readonly title: string;
  readonly subtitle?: string;
  readonly badge?: { readonly text: string; readonly tone: Tone };
  /** Those that are `undefined` are left out. */
  readonly sections: readonly (CardSection | undefined)[];
  readonly warnings?: readonly string[];
  /** What the step made. */
  readonly outputs?: StepResult['outputs'];
}

/** The card of a step: its sections, then warnings, lineage and run. */
export const stepCard = (command: StepCommand, options: StepCardOptions): string => {
  const { title, subtitle, badge: shown, sections, warnings = [], outputs = [] } = options;
  const project = command.project?.project ?? '';
  const all = [...sections, warningsSection(warnings), lineageSection(command, outputs)];
  return renderCard({
    title: project === '' ? title : `${title} of ${project}`,
    ...(subtitle === undefined ? {} : { subtitle }),
    ...(shown === undefined ? {} : { badge: badge(shown.text, shown.tone) }),
    sections: all.filter((section) => section !== undefined),
    footer: `Step ${command.step} of ${command.pipelineRunId}`,
  });
};

/** From what the step worked and what it made, and where to look further. */
export const lineageSection = (command: StepCommand, outputs: StepResult['outputs']): CardSection => {
  const { pipelineRunId, step, attempt, project, recipe, inputs, actor } = command;
  const pairs: readonly (readonly [string, string])[] = [
    ['Pipeline run', pipelineRunId],
    ['Step', attempt > 1 ? `${step}, attempt ${attempt}` : step],
    ['Submitted by', actor?.name ?? ''],
    ['Project files', project?.manifestDigest ?? ''],
    ['Commit', project?.commit ?? ''],
    ['Uncommitted changes', project?.dirtyDigest ?? ''],
    ['Recipe', recipe?.kind ?? ''],
    ['Profile', recipe?.profile ?? ''],
    ['Seed', recipe === undefined ? '' : String(recipe.seed)],
  ];
  const made = outputs.filter(({ kind }) => kind !== 'card');
  return {
    title: 'Lineage and run',
    content: [
      facts(pairs.filter(([, value]) => value !== '').map(([label, value]) => [label, code(value)])),
      ...artifactTable('Made from', inputs),
      ...artifactTable('Made', made),
      ...runCommands(pipelineRunId),
    ],
  };
};

const artifactTable = (title: string, artifacts: readonly Partial<Artifact>[]): readonly SafeHtml[] =>
  artifacts.length === 0
    ? []
    : [
        subheading(title),
        table({
          columns: [
            { title: 'Name' },
            { title: 'Kind' },
            { title: 'Identity' },
            { title: 'Size', numeric: true },
          ],
          rows: artifacts.map(({ name = '', kind = '', id = '', digest = '', size = 0 }) => [
            name,
            kind,
            code(
              [id, digest === '' ? '' : shortDigest(digest)].filter((part) => part !== '').join(' ') || '–',
            ),
            size === 0 ? '–' : formatBytes(size),
          ]),
        }),
      ];

/** How to come from a card on paper or on disk to the run: a link would lead nowhere there. */
export const runCommands = (pipelineRunId: string): readonly SafeHtml[] =>
  pipelineRunId === ''
    ? []
    : [
        subheading('Look further'),
        list([
          code(`millrace inspect ${pipelineRunId}`),
          code(`millrace lineage pipeline_run:${pipelineRunId}`),
          code(`GET /api/v1/runs/${pipelineRunId}`),
        ]),
      ];

/** The card of a step that failed: what went wrong and where, in the user's own files if it was there. */
export const failureCard = (
  command: StepCommand,
  error: MillraceError,
  made: StepResult | undefined,
): string => {
  const { code: errorCode, message, hint, violations, details } = error;
  const { stack, ...rest } = details;
  const places = violations.filter(({ message: text }) => text !== '');
  return stepCard(command, {
    title: titleOf(command.step),
    badge: { text: 'Failed', tone: 'bad' },
    subtitle: errorCode.replaceAll('_', ' '),
    sections: [
      {
        title: 'What went wrong',
        content: [
          preformatted(message),
          ...(hint === undefined || hint === '' ? [] : [paragraph(hint)]),
          ...(places.length === 0
            ? []
            : [
                table({
                  columns: [{ title: 'Where' }, { title: 'What' }],
                  rows: places.map((violation) => [code(violation.path), violation.message]),
                }),
              ]),
          ...(Object.keys(rest).length === 0 ? [] : [facts(Object.entries(rest))]),
        ],
      },
      stack === undefined || stack === ''
        ? undefined
        : {
            title: 'Stack trace',
            content: [preformatted(stack), note('Frames of the project’s own files, innermost first.')],
          },
    ],
    warnings: made?.warnings ?? [],
    outputs: made?.outputs ?? [],
  });
};

const titleOf = (step: string): string => step.charAt(0).toUpperCase() + step.slice(1).replaceAll('_', ' ');
