import { Invalid } from '@millrace/errors';
import type { AliasMove } from '../domain/model.ts';
import { listMoves } from './alias-moves.ts';
import type { RegistryContext } from './context.ts';
import { loadModel } from './load.ts';

export interface AliasHistoryQuery {
  readonly model: string;
  /** Empty: every alias. */
  readonly alias: string;
  readonly limit: number;
  readonly cursor?: string;
}

/** Moves of a model's aliases, newest first. @throws Invalid, NotFound */
export const listAliasHistory = async (
  context: RegistryContext,
  { model: name, alias, limit, cursor }: AliasHistoryQuery,
): Promise<{ readonly moves: readonly AliasMove[]; readonly nextCursor?: string }> => {
  if (cursor !== undefined && !/^[1-9]\d*$/.test(cursor)) {
    throw Invalid.field('page.cursor', 'is not a cursor that this list returned');
  }
  const model = await loadModel(context, name);
  const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor);
  const found = await listMoves(context, model, { alias, before, limit: limit + 1 });
  const moves = found.slice(0, limit);
  const last = moves.at(-1);
  return found.length > limit && last !== undefined ? { moves, nextCursor: String(last.number) } : { moves };
};
