import {
  badge,
  type CardSection,
  environmentSection,
  formatNumber,
  renderCard,
  type Tone,
  warningsSection,
} from '@millrace/cards';
import type { Verdict } from '../domain/decide-gates.ts';
import { championSection } from './champion-section.ts';
import type { Evaluation } from './evaluation.ts';
import { explanationSection, importanceSection, lineageSection, rankedSection } from './evidence-sections.ts';
import { metricsSection } from './metrics-section.ts';
import { plotsSection } from './plots-section.ts';
import { slicesSection } from './slices-section.ts';
import { verdictSection } from './verdict-section.ts';

/** How a verdict reads. */
const verdictBadges: Readonly<Record<Verdict, { readonly text: string; readonly tone: Tone }>> = {
  VALIDATED: { text: 'All gates passed', tone: 'good' },
  REJECTED: { text: 'Rejected', tone: 'bad' },
  UNKNOWN: { text: 'No gates', tone: 'plain' },
};

/** The evaluation as one HTML page. */
export const evaluationCard = (evaluation: Evaluation): string => {
  const { request, measurement, verdict, createdAt } = evaluation;
  const { modelName } = request.identity;
  const { text, tone } = verdictBadges[verdict];
  const sections: readonly (CardSection | undefined)[] = [
    verdictSection(evaluation),
    metricsSection(evaluation),
    championSection(evaluation),
    slicesSection(evaluation),
    plotsSection(evaluation),
    importanceSection(evaluation),
    explanationSection(evaluation),
    rankedSection(evaluation),
    warningsSection(evaluation.warnings),
    evaluation.environment === undefined ? undefined : environmentSection(evaluation.environment),
    lineageSection(evaluation),
  ];
  return renderCard({
    title: modelName === '' ? 'Evaluation' : `Evaluation of ${modelName}`,
    subtitle: `${request.catalog.task} of ${request.targetColumn} · ${formatNumber(measurement.test.rowCount)} test rows · ${createdAt.slice(0, 16).replace('T', ' ')} UTC`,
    badge: badge(text, tone),
    sections: sections.filter((section) => section !== undefined),
    footer: `Report ${request.reportId}`,
  });
};
