import type { ModelVersion as ModelVersionMessage } from '@millrace/contracts/registry';
import { Invalid, NotFound } from '@millrace/errors';
import type { AliasMove } from '../domain/model.ts';
import { parseAlias } from '../domain/names.ts';
import { findMoveInForce } from './alias-moves.ts';
import type { RegistryContext } from './context.ts';
import { loadModel, loadPolicy, loadVersion } from './load.ts';
import { viewModelVersion } from './view-model-version.ts';

/** Now, whatever the clock says: the last move counts. */
const endOfTime = '9999-12-31T23:59:59.999Z';

/**
 * What an alias points to, or pointed to at a past time, and the move that put it there.
 * @throws NotFound when it pointed nowhere then.
 * @throws Invalid when the time is not one, or lies ahead.
 */
export const resolveAlias = async (
  context: RegistryContext,
  query: { readonly model: string; readonly alias: string; readonly at?: string },
): Promise<{ readonly modelVersion: ModelVersionMessage; readonly move: AliasMove }> => {
  const now = context.now();
  const at = query.at === undefined ? undefined : parseTime(query.at, now);
  const alias = parseAlias(query.alias);
  const model = await loadModel(context, query.model);
  const move = await findMoveInForce(context, model, alias, at ?? endOfTime);
  if (move === undefined || move.toVersion === 0) {
    const when = at === undefined ? '' : ` at ${at}`;
    throw new NotFound(`alias ${alias} of ${model.name} pointed to nothing${when}`);
  }
  const version = await loadVersion(context, model.name, move.toVersion);
  const policy = await loadPolicy(context, model);
  return { modelVersion: viewModelVersion(version, model, policy, now), move };
};

const parseTime = (text: string, now: string): string => {
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw Invalid.field('at', 'must be a time in ISO 8601, such as 2026-03-01T12:00:00Z');
  if (time > Date.parse(now)) throw Invalid.field('at', 'lies in the future');
  return new Date(time).toISOString();
};
