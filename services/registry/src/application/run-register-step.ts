import { parseDigest } from '@millrace/blobs';
import type { Report } from '@millrace/contracts/evaluation';
import type { Artifact, StepCommand } from '@millrace/contracts/step';
import { FailedPrecondition, Invalid } from '@millrace/errors';
import { type StepHandler, type StepResult, withCard } from '@millrace/service-kit';
import { registerCard } from '../card/register-card.ts';
import { parseActor } from '../domain/actor.ts';
import { headlineMetrics, judgeEvidence } from '../domain/evidence.ts';
import { aliasesOf } from '../domain/model.ts';
import type { ModelVersion, Registration } from '../domain/model-version.ts';
import { parseModelName, versionKey } from '../domain/names.ts';
import type { RegistryContext } from './context.ts';
import { readModelPackage } from './read-model-package.ts';
import { registerModelVersion } from './register-model-version.ts';

/**
 * The step `register`. Inputs, found by kind: `model` (required), `evaluation_report`, `training_run`,
 * `dataset_version`, `profile`. Output: `model_version`. Safe to repeat: the same model keeps its version.
 */
export const registerStep =
  (context: RegistryContext): StepHandler =>
  async (step) => {
    const { command, progress } = step;
    const model = inputOfKind(command, 'model');
    if (model === undefined) throw Invalid.field('inputs', 'hold no model');
    const digest = parseDigest(model.digest, 'inputs.model.digest');
    const settings = parseSettings(command);

    progress(0.1, 'checking the evaluation of this model');
    const report = await findReport(context, digest, inputOfKind(command, 'evaluation_report'));
    const verdict = judgeEvidence(report, digest, settings.allowNonValidated);
    progress(0.4, 'checking the model package');
    const description = await readModelPackage(context.blobs, digest);
    progress(0.8, `registering ${settings.modelName}`);
    const registered = await registerModelVersion(context, {
      ...description,
      model: settings.modelName,
      digest,
      origin: originOf(command, model, report),
      evidence: { reportId: report.id, verdict, metrics: headlineMetrics(report) },
      tags: settings.tags,
      registeredBy: parseActor(command.actor),
      registeredAt: context.now(),
    });
    return withCard(step, context.blobs, toResult(registered), async (made) => {
      const { version } = registered;
      const owner = await context.collections.models.get(version.model);
      const aliases = owner === undefined ? [] : aliasesOf(owner.document, version.number);
      return registerCard(command, { ...registered, aliases, flavors: description.flavors }, made);
    });
  };

const inputOfKind = ({ inputs }: StepCommand, kind: string): Artifact | undefined =>
  inputs.find((artifact) => artifact.kind === kind);

interface RegisterSettings {
  readonly modelName: string;
  readonly allowNonValidated: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

const parseSettings = ({ config, recipe, project }: StepCommand): RegisterSettings => {
  const section: Readonly<Record<string, unknown>> = config ?? {};
  const allow = section.allow_non_validated_model ?? false;
  if (typeof allow !== 'boolean') {
    throw Invalid.field('steps.register.allow_non_validated_model', 'must be true or false');
  }
  const name = section.model_name ?? recipe?.modelName ?? '';
  const labels = typeof section.metadata === 'object' && section.metadata !== null ? section.metadata : {};
  const told = { project: project?.project, recipeKind: recipe?.kind, task: recipe?.task, ...labels };
  return {
    modelName: parseModelName(String(name), 'steps.register.model_name'),
    allowNonValidated: allow,
    tags: Object.fromEntries(
      Object.entries(told).flatMap(([key, value]) =>
        value === undefined || value === '' ? [] : [[key, String(value)]],
      ),
    ),
  };
};

/** The report that the evaluate step names, else the newest on this model; from its owner, never from the command. */
const findReport = async (
  { reports }: RegistryContext,
  modelDigest: string,
  named: Artifact | undefined,
): Promise<Report> => {
  const report =
    named === undefined || named.id === ''
      ? await reports.findForModel(modelDigest)
      : await reports.get(named.id);
  if (report !== undefined) return report;
  throw new FailedPrecondition(`the evaluation service has no report on model ${modelDigest}`, {
    hint: 'Run the evaluate step before register.',
  });
};

const originOf = (command: StepCommand, model: Artifact, report: Report): Registration['origin'] => ({
  trainingRunId:
    inputOfKind(command, 'training_run')?.id ||
    report.trainingRunId ||
    (model.attributes.trainingRunId ?? ''),
  pipelineRunId: command.pipelineRunId,
  datasetVersionId: inputOfKind(command, 'dataset_version')?.id || report.datasetVersionId,
  codeCommit: command.project?.commit ?? '',
  profileDigest: inputOfKind(command, 'profile')?.digest ?? '',
});

/** Only what stays true of the version: the result may be reused long after. */
const toResult = ({ version, created }: Awaited<ReturnType<typeof registerModelVersion>>): StepResult => {
  const id = versionKey(version.model, version.number);
  return {
    outputs: [
      {
        name: 'model_version',
        kind: 'model_version',
        id,
        digest: version.digest,
        attributes: {
          model: version.model,
          version: String(version.number),
          verdict: version.evidence.verdict,
          evaluationReportId: version.evidence.reportId,
        },
      },
    ],
    summary: {
      modelVersion: id,
      newlyRegistered: created,
      verdict: version.evidence.verdict,
      metrics: version.evidence.metrics,
    },
    warnings: warningsOf(version, created),
  };
};

const warningsOf = (version: ModelVersion, created: boolean): string[] => {
  const id = versionKey(version.model, version.number);
  const warnings: string[] = [];
  if (!created && version.archived) warnings.push(`this model is ${id} already, which is archived`);
  if (version.signature.inputs.length === 0) warnings.push('the model package has no signature');
  if (version.inputExample.length === 0) warnings.push('the model package has no input example');
  return warnings;
};
