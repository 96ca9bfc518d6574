import type { MillraceClient } from '@millrace/client';
import type { Run } from '@millrace/contracts/pipeline';
import { Invalid, NotFound } from '@millrace/errors';

export interface ModelVersionReference {
  readonly model: string;
  readonly version: number;
}

/** `flights/3`. Throws `Invalid`. */
export const parseModelVersion = (text: string): ModelVersionReference => {
  const match = /^([^/@]+)\/([1-9]\d*)$/.exec(text);
  if (match === null)
    throw new Invalid(`"${text}" is not a model version: write it as name/number, such as flights/3`);
  return { model: match[1]!, version: Number(match[2]) };
};

/** `flights/3`, `flights@production`, or `flights` for the newest version. */
export const resolveModelVersion = async (
  client: MillraceClient,
  text: string,
): Promise<ModelVersionReference> => {
  if (text.includes('/')) return parseModelVersion(text);
  const [model = '', alias] = text.split('@');
  if (alias !== undefined) {
    const { modelVersion } = await client.registry.resolveAlias({ model, alias });
    if (modelVersion === undefined) throw new NotFound(`${text} points to nothing`);
    return { model, version: modelVersion.version };
  }
  const { model: found } = await client.registry.getModel({ name: model });
  if (found === undefined || found.latestVersion === 0) throw new NotFound(`model ${model} has no version`);
  return { model, version: found.latestVersion };
};

/** A run by its id, by a part of it that only one recent run has, or `latest`. */
export const findRun = async (client: MillraceClient, text: string): Promise<Run> => {
  if (/^run_[0-9a-z]{26}$/.test(text)) {
    const { run } = await client.pipeline.getRun({ id: text });
    if (run !== undefined) return run;
  }
  const { runs } = await client.pipeline.listRuns({ page: { limit: 1000 } });
  const matches = text === 'latest' ? runs.slice(0, 1) : runs.filter(({ id }) => id.includes(text));
  if (matches.length === 1) return matches[0]!;
  if (matches.length === 0)
    throw new NotFound(text === 'latest' ? 'there is no run yet' : `there is no run ${text}`);
  throw new Invalid(`"${text}" fits ${matches.length} runs: give more of the id`);
};
