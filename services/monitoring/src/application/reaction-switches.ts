import type { Actor, Reaction } from '@millrace/contracts/common';
import { monitoringEvents } from '@millrace/contracts/monitoring';
import { NotFound } from '@millrace/errors';
import { eventMessage } from '@millrace/service-kit';
import { type ReactionDefinition, reactions } from '../domain/reactions.ts';
import type { Collections, ReactionDocument } from './ports.ts';

const initial: ReactionDocument = { enabled: true, fired: 0, lastFiredAt: null };

const definitions: readonly ReactionDefinition[] = Object.values(reactions);

const toMessage = (definition: ReactionDefinition, document: ReactionDocument): Reaction => ({
  ...definition,
  enabled: document.enabled,
  fired: document.fired,
  lastFiredAt: document.lastFiredAt ?? undefined,
});

export const isEnabled = async (
  { reactions: switches }: Collections,
  { name }: ReactionDefinition,
): Promise<boolean> => (await switches.get(name))?.document.enabled ?? initial.enabled;

/** Counts that a reaction acted; for people, not for decisions. */
export const countFired = async (
  { reactions: switches }: Collections,
  { name }: ReactionDefinition,
  now: number,
): Promise<void> => {
  await switches.update(name, (current) => {
    const before = current?.document ?? initial;
    const lastFiredAt = new Date(now).toISOString();
    return { document: { ...before, fired: before.fired + 1, lastFiredAt } };
  });
};

export const listReactions = (collections: Collections): Promise<Reaction[]> =>
  Promise.all(
    definitions.map(async (definition) =>
      toMessage(definition, (await collections.reactions.get(definition.name))?.document ?? initial),
    ),
  );

/** Switches a reaction on or off. Throws `NotFound`. */
export const setReaction = async (
  { reactions: switches }: Collections,
  name: string,
  enabled: boolean,
  actor: Actor | undefined,
): Promise<Reaction> => {
  const definition = definitions.find((known) => known.name === name);
  if (definition === undefined) {
    const names = definitions.map((known) => known.name).join(', ');
    throw new NotFound(`there is no reaction "${name}"`, { hint: `This service has ${names}.` });
  }
  const stored = await switches.update(name, (current) => {
    const before = current?.document ?? initial;
    if (before.enabled === enabled) return undefined;
    const document = { ...before, enabled };
    const reaction = toMessage(definition, document);
    return {
      document,
      messages: [eventMessage(monitoringEvents.reactionSwitched, name, { reaction, actor })],
    };
  });
  return toMessage(definition, stored?.document ?? initial);
};
