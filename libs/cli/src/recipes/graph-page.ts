import { badge, type HtmlValue, html, renderCard, type SafeHtml, type Tone, table } from '@millrace/cards';
import { StepState } from '@millrace/contracts/pipeline';
import type { Recipe } from '@millrace/recipe';
import { between, word } from '../format.ts';
import { artifactPlaces } from './artifact-names.ts';
import type { StepOfRun } from './latest-step.ts';

/** A step with the newest run in which it ended, if there is one. */
export interface GraphStep {
  readonly name: string;
  readonly latest?: StepOfRun | undefined;
  /** Cleaned since: its next run does it anew. */
  readonly cleaned: boolean;
}

const tones: Partial<Record<StepState, Tone>> = {
  [StepState.STEP_STATE_SUCCEEDED]: 'good',
  [StepState.STEP_STATE_CACHED]: 'good',
  [StepState.STEP_STATE_FAILED]: 'bad',
};

const stateOf = ({ latest, cleaned }: GraphStep): { readonly text: string; readonly tone: Tone } => {
  if (cleaned) return { text: 'cleaned', tone: 'warn' };
  if (latest === undefined) return { text: 'not run', tone: 'plain' };
  const { state } = latest.step;
  return { text: word(state, 'STEP_STATE'), tone: tones[state] ?? 'plain' };
};

/** The recipe as a page: its steps in their order, what became of them, and what each makes. */
export const graphPage = (
  { name, kind, targetColumn, profile, primaryMetric }: Recipe,
  steps: readonly GraphStep[],
): string =>
  renderCard({
    title: `Recipe ${name}`,
    subtitle: `${kind}, target ${targetColumn}, primary metric ${primaryMetric}${profile === '' ? '' : `, profile ${profile}`}`,
    sections: [
      { title: 'Graph', content: [graph(steps)] },
      { title: 'Steps', content: [stepTable(steps)] },
    ],
    footer: 'The card of a step: millrace recipes inspect --step <step>',
  });

const box = { width: 190, height: 52, gap: 34, perRow: 4 };

/** The steps as boxes with arrows between them, row after row, each row from left to right. */
const graph = (steps: readonly GraphStep[]): SafeHtml => {
  const rows = Math.ceil(steps.length / box.perRow);
  const width = Math.min(steps.length, box.perRow) * (box.width + box.gap) - box.gap + 2;
  const height = rows * (box.height + box.gap) - box.gap + 2;
  return html`<div class="scroll"><svg viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="Steps of the recipe">${steps.map(
    (step, index) => [drawBox(step, index), index === 0 ? '' : drawArrow(index)],
  )}</svg></div>`;
};

const placeOf = (index: number): { readonly x: number; readonly y: number } => ({
  x: 1 + (index % box.perRow) * (box.width + box.gap),
  y: 1 + Math.floor(index / box.perRow) * (box.height + box.gap),
});

const colours: Readonly<Record<Tone, string>> = {
  good: 'var(--good)',
  bad: 'var(--bad)',
  warn: 'var(--warn)',
  plain: 'var(--line)',
};

const drawBox = (step: GraphStep, index: number): SafeHtml => {
  const { x, y } = placeOf(index);
  const { text, tone } = stateOf(step);
  return html`<rect x="${x}" y="${y}" width="${box.width}" height="${box.height}" rx="8" fill="var(--raised)" stroke="${colours[tone]}" stroke-width="1.5"/><text x="${x + 14}" y="${y + 22}" fill="var(--ink)" font-weight="600">${step.name}</text><text x="${x + 14}" y="${y + 41}" fill="var(--muted)" font-size="13">${text}</text>`;
};

const drawArrow = (index: number): SafeHtml => {
  const to = placeOf(index);
  const from = placeOf(index - 1);
  const middle = box.height / 2;
  const startX = from.x + box.width;
  const path =
    to.y === from.y
      ? `M${startX} ${from.y + middle}H${to.x - 3}m-6 -4l6 4l-6 4`
      : `M${startX - box.width / 2} ${from.y + box.height}v${box.gap / 2}H${to.x + box.width / 2}V${to.y - 3}m-4 -6l4 6l4 -6`;
  return html`<path d="${path}" fill="none" stroke="var(--muted)" stroke-width="1.5"/>`;
};

const stepTable = (steps: readonly GraphStep[]): SafeHtml =>
  table({
    columns: ['Step', 'State', 'Took', 'Why', 'Artifacts', 'Run'].map((title) => ({ title })),
    rows: steps.map((step) => [step.name, stateBadge(step), ...resultCells(step)]),
  });

const stateBadge = (step: GraphStep): SafeHtml => {
  const { text, tone } = stateOf(step);
  return badge(text, tone);
};

const resultCells = ({ name, latest }: GraphStep): readonly HtmlValue[] => {
  const made = Object.entries(artifactPlaces).filter(([, { step }]) => step === name);
  const names = made.map(([artifact]) => artifact).join(', ');
  if (latest === undefined) return ['', '', names, ''];
  const { step, run } = latest;
  const why = step.error?.message ?? step.cache?.reason ?? '';
  return [between(step.startedAt, step.finishedAt), why, names, run.id];
};
