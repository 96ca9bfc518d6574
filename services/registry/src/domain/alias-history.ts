import type { AliasMove } from './model.ts';

/**
 * The move that put an alias where it pointed at a time; of several at the same time the last counts.
 * `undefined` before its first move. The caller looks at `toVersion`: 0 means that it had been removed.
 */
export const moveInForceAt = (
  moves: Iterable<AliasMove>,
  alias: string,
  at: string,
): AliasMove | undefined => {
  const time = Date.parse(at);
  let found: AliasMove | undefined;
  for (const move of moves) {
    if (move.alias !== alias || Date.parse(move.at) > time) continue;
    if (found === undefined || move.number > found.number) found = move;
  }
  return found;
};
