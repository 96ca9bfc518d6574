import type { Filter } from '@millrace/store';
import { moveInForceAt } from '../domain/alias-history.ts';
import type { AliasMove, Model } from '../domain/model.ts';
import type { RegistryContext } from './context.ts';

/** A model's document holds at most this many moves … */
const spillAbove = 200;
/** … and keeps this many when the others are put away. */
const keptRecent = 50;

const moveKey = ({ model, number }: AliasMove): string => `${model}/${String(number).padStart(9, '0')}`;

/**
 * Puts old moves of a long history into their own collection, so that the model's document stays small. They
 * are copied first and dropped second: a crash between leaves both, and readers tell by the move's number.
 */
export const spillMoves = async ({ collections }: RegistryContext, model: Model): Promise<void> => {
  if (model.recentMoves.length <= spillAbove) return;
  const old = model.recentMoves.slice(0, -keptRecent);
  for (const move of old) {
    await collections.moves.update(moveKey(move), (current) =>
      current === undefined ? { document: move } : undefined,
    );
  }
  const lastOld = old.at(-1)?.number ?? 0;
  await collections.models.update(model.name, (current) =>
    current === undefined
      ? undefined
      : {
          document: {
            ...current.document,
            recentMoves: current.document.recentMoves.filter(({ number }) => number > lastOld),
          },
        },
  );
};

const latestSpilled = async (
  { collections }: RegistryContext,
  model: string,
  alias: string,
  condition: Filter,
): Promise<AliasMove | undefined> => {
  const { items } = await collections.moves.find({
    filter: {
      and: [
        { field: 'model', op: 'eq', value: model },
        { field: 'alias', op: 'eq', value: alias },
        condition,
      ],
    },
    sort: { field: 'number', direction: 'desc' },
    limit: 1,
  });
  return items[0]?.document;
};

/** The move that put an alias where it pointed at a time (ISO 8601, UTC, milliseconds). */
export const findMoveInForce = async (
  context: RegistryContext,
  model: Model,
  alias: string,
  at: string,
): Promise<AliasMove | undefined> =>
  moveInForceAt(model.recentMoves, alias, at) ??
  (await latestSpilled(context, model.name, alias, { field: 'at', op: 'lte', value: at }));

/** The latest move that pointed an alias to a version. */
export const findMoveTo = async (
  context: RegistryContext,
  model: Model,
  alias: string,
  version: number,
): Promise<AliasMove | undefined> =>
  model.recentMoves.findLast((move) => move.alias === alias && move.toVersion === version) ??
  (await latestSpilled(context, model.name, alias, { field: 'toVersion', op: 'eq', value: version }));

/** Moves before a number, newest first. */
export const listMoves = async (
  { collections }: RegistryContext,
  model: Model,
  query: { readonly alias: string; readonly before: number; readonly limit: number },
): Promise<readonly AliasMove[]> => {
  const matches = (move: AliasMove): boolean =>
    move.number < query.before && (query.alias === '' || move.alias === query.alias);
  const recent = model.recentMoves.filter(matches).reverse().slice(0, query.limit);
  const oldestRecent = model.recentMoves[0]?.number ?? query.before;
  if (recent.length === query.limit || oldestRecent <= 1) return recent;
  const conditions: Filter[] = [
    { field: 'model', op: 'eq', value: model.name },
    { field: 'number', op: 'lt', value: Math.min(query.before, oldestRecent) },
  ];
  if (query.alias !== '') conditions.push({ field: 'alias', op: 'eq', value: query.alias });
  const { items } = await collections.moves.find({
    filter: { and: conditions },
    sort: { field: 'number', direction: 'desc' },
    limit: query.limit - recent.length,
  });
  return [...recent, ...items.map(({ document }) => document)];
};
