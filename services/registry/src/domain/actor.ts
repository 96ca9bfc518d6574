import { Invalid } from '@millrace/errors';

/** Who caused a change, and why in their own words. */
export interface Actor {
  /** `user:ada`, `service:deployment`, `trigger:nightly`. */
  readonly name: string;
  /** May be empty where no rule asks for it. */
  readonly reason: string;
}

const maxNameLength = 200;
const maxReasonLength = 2_000;

/** @throws Invalid naming the field when there is no name, or a text is too long. */
export const parseActor = (
  actor: { readonly name: string; readonly reason: string } | undefined,
  path = 'actor',
): Actor => {
  const name = actor?.name.trim() ?? '';
  const reason = actor?.reason.trim() ?? '';
  if (name === '') throw Invalid.field(`${path}.name`, 'must say who does this');
  if (name.length > maxNameLength) throw Invalid.field(`${path}.name`, `is longer than ${maxNameLength}`);
  if (reason.length > maxReasonLength)
    throw Invalid.field(`${path}.reason`, `is longer than ${maxReasonLength}`);
  return { name, reason };
};

/** @throws Invalid when the actor gives no reason for something that needs one. */
export const requireReason = (actor: Actor, why: string): void => {
  if (actor.reason === '') throw Invalid.field('actor.reason', `must not be empty: ${why}`);
};
