import { badge, code, facts, formatNumber, note, table } from '@millrace/cards';
import type { StepCommand } from '@millrace/contracts/step';
import { type StepResult, stepCard } from '@millrace/service-kit';
import { currentBinding, type MonitorDocument } from '../domain/monitor.ts';

/** All that the card of a monitor step shows. */
export interface MonitorFacts {
  readonly monitor: MonitorDocument;
  /** Features that are compared with the baseline. */
  readonly features: readonly string[];
}

/** The card of the step `monitor`: what is watched, against what, and when it alarms. */
export const monitorCard = (
  command: StepCommand,
  { monitor, features }: MonitorFacts,
  { outputs, warnings = [] }: StepResult,
): string => {
  const binding = currentBinding(monitor);
  const { drift, rules } = monitor;
  return stepCard(command, {
    title: 'Monitoring',
    subtitle: `Revision ${binding.revision} of ${monitor.endpoint}`,
    badge: { text: 'Watched', tone: 'good' },
    sections: [
      {
        title: 'Baseline',
        content: [
          facts([
            ['Endpoint', monitor.endpoint],
            ['Model version', `${binding.model}/${binding.modelVersion}`],
            ['Dataset version', code(binding.datasetVersionId)],
            ['Profile', code(binding.profileDigest)],
            [
              'Window',
              `${formatNumber(monitor.windowRecords)} predictions, at most ${formatNumber(monitor.windowMaxAgeMs / 60_000)} minutes`,
            ],
            ['False alarms', `${formatNumber(drift.falseAlarmRate * 100)} % of clean windows`],
            ['Smallest effect that counts', formatNumber(drift.minEffect)],
            ['Tests', drift.tests.length === 0 ? 'the defaults' : drift.tests.join(', ')],
            ['Drift asks for a new run', monitor.retrainOnDrift ? 'yes' : 'no'],
          ]),
          note(`Features watched: ${features.join(', ')}.`),
        ],
      },
      {
        title: 'Rules',
        content: [
          table({
            columns: [
              { title: 'Rule' },
              { title: 'Check' },
              { title: 'Threshold', numeric: true },
              { title: 'Severity' },
              { title: 'Alarms after' },
            ],
            rows: rules.map(({ name, check, metric, threshold, severity, fireAfter, ofWindows }) => [
              name,
              metric === undefined ? check : `${check} (${metric})`,
              formatNumber(threshold),
              badge(severity, severity === 'critical' ? 'bad' : 'warn'),
              `${fireAfter} of ${ofWindows} windows`,
            ]),
          }),
        ],
      },
    ],
    warnings,
    outputs,
  });
};
