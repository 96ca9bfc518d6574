import {
  badge,
  type CardSection,
  code,
  facts,
  formatNumber,
  metricTable,
  note,
  schemaTable,
  subheading,
} from '@millrace/cards';
import type { StepCommand } from '@millrace/contracts/step';
import { type StepResult, stepCard } from '@millrace/service-kit';
import type { ModelVersion, SignatureField } from '../domain/model-version.ts';
import { versionKey } from '../domain/names.ts';

/** All that the card of a register step shows. */
export interface RegisterFacts {
  readonly version: ModelVersion;
  /** False: the model had this version already. */
  readonly created: boolean;
  /** Those that pointed to the version when the card was made. */
  readonly aliases: readonly string[];
  /** Of the package: `python_function`, `sklearn`, `onnx`. */
  readonly flavors: readonly string[];
}

/** The card of the step `register`. */
export const registerCard = (
  command: StepCommand,
  { version, created, aliases, flavors }: RegisterFacts,
  { outputs, warnings = [] }: StepResult,
): string => {
  const id = versionKey(version.model, version.number);
  return stepCard(command, {
    title: 'Registration',
    subtitle: `${id}, ${created ? 'newly registered' : 'registered before: the model is the same'}`,
    badge:
      version.evidence.verdict === 'VALIDATED'
        ? { text: 'Validated', tone: 'good' }
        : { text: 'Not validated', tone: 'warn' },
    sections: [
      {
        title: 'Model version',
        content: [
          facts([
            ['Name', version.model],
            ['Version', formatNumber(version.number)],
            ['Digest', code(version.digest)],
            ['Aliases', aliases.length === 0 ? 'none yet' : aliases.map((alias) => badge(alias))],
            ['Flavors', flavors.length === 0 ? 'none' : flavors.map((flavor) => badge(flavor))],
            ['Registered by', version.registeredBy.name],
            ['Registered', version.registeredAt],
            ...Object.entries(version.tags),
          ]),
          note(
            'Aliases move and approvals come later: ',
            code(`millrace models ${version.model}`),
            ' shows them as they are.',
          ),
        ],
      },
      metricsSection(version),
      originSection(version),
      signatureSection(version),
    ],
    warnings,
    outputs,
  });
};

const metricsSection = ({ evidence: { metrics, verdict, reportId } }: ModelVersion): CardSection => ({
  title: 'Evidence',
  content: [
    facts([
      ['Verdict of the gates', verdict],
      ['Evaluation report', code(reportId)],
    ]),
    ...(Object.keys(metrics).length === 0
      ? []
      : [metricTable({ columns: [{ title: 'Test', metrics }], primary: '', custom: [] })]),
  ],
});

const originSection = ({ origin, evidence, digest, model, number }: ModelVersion): CardSection => {
  const chain: readonly (readonly [string, string])[] = [
    ['Data', origin.datasetVersionId],
    ['Profile of the data', origin.profileDigest],
    ['Code', origin.codeCommit],
    ['Pipeline run', origin.pipelineRunId],
    ['Training run', origin.trainingRunId],
    ['Model', digest],
    ['Evaluation', evidence.reportId],
    ['Version', versionKey(model, number)],
  ];
  return {
    title: 'From data to version',
    content: [facts(chain.filter(([, value]) => value !== '').map(([label, value]) => [label, code(value)]))],
  };
};

const signatureSection = ({ signature: { inputs, outputs } }: ModelVersion): CardSection | undefined => {
  const columnsOf = (fields: readonly SignatureField[]) =>
    fields.map(({ name, type, required }) => ({ name, type, nullable: !required }));
  return inputs.length + outputs.length === 0
    ? undefined
    : {
        title: 'Signature',
        content: [
          subheading('Inputs'),
          schemaTable(columnsOf(inputs)),
          subheading('Outputs'),
          schemaTable(columnsOf(outputs)),
        ],
      };
};
