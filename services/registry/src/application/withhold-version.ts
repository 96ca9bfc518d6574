import { withhold } from '../domain/model.ts';
import type { RegistryContext } from './context.ts';
import { missingModel } from './load.ts';

/** Marks a version in its model's document, the one that every move of an alias goes through. */
export const withholdVersion = async (
  { collections }: RegistryContext,
  model: string,
  version: number,
  why: 'rejected' | 'archived',
): Promise<void> => {
  await collections.models.update(model, (current) => {
    if (current === undefined) throw missingModel(model);
    const document = withhold(current.document, version, why);
    return document === current.document ? undefined : { document };
  });
};
