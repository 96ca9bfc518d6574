import type { Reaction } from '@millrace/contracts/common';
import { deploymentEvents } from '@millrace/contracts/deployment';
import { registryEvents } from '@millrace/contracts/registry';
import { NotFound } from '@millrace/errors';
import { eventMessage } from '@millrace/service-kit';
import type { Actor } from '../domain/actor.ts';
import type { RegistryContext } from './context.ts';

const reactionNames = ['deployment-moves-alias'] as const;
export type ReactionName = (typeof reactionNames)[number];

const descriptions: Record<ReactionName, { readonly description: string; readonly eventType: string }> = {
  'deployment-moves-alias': {
    description:
      'When an endpoint promotes a version or rolls back, the alias that follows the endpoint moves to the version that serves.',
    eventType: deploymentEvents.deploymentPromoted.type,
  },
};

/** Reactions are on until somebody switches them off. */
export const isReactionEnabled = async (
  { collections }: RegistryContext,
  name: ReactionName,
): Promise<boolean> => (await collections.reactions.get(name))?.document.enabled ?? true;

const describe = async (
  context: RegistryContext,
  name: ReactionName,
  enabled: boolean,
): Promise<Reaction> => {
  let fired = 0;
  let lastFiredAt = '';
  // Counted where it takes effect, in the models, so that a crash never counts twice or not at all.
  for await (const { document } of context.collections.models.scan()) {
    fired += document.followed.count;
    if (document.followed.lastAt > lastFiredAt) lastFiredAt = document.followed.lastAt;
  }
  return {
    name,
    ...descriptions[name],
    enabled,
    fired,
    lastFiredAt: lastFiredAt === '' ? undefined : lastFiredAt,
  };
};

export const listReactions = (context: RegistryContext): Promise<Reaction[]> =>
  Promise.all(
    reactionNames.map(async (name) => describe(context, name, await isReactionEnabled(context, name))),
  );

/** Switches a reaction on or off; what happened while it was off is not made up for. @throws NotFound */
export const setReaction = async (
  context: RegistryContext,
  command: { readonly name: string; readonly enabled: boolean; readonly actor: Actor },
): Promise<Reaction> => {
  const name = reactionNames.find((known) => known === command.name);
  if (name === undefined) throw new NotFound(`the registry has no reaction ${command.name}`);
  const reaction = await describe(context, name, command.enabled);
  await context.collections.reactions.update(name, (current) =>
    (current?.document.enabled ?? true) === command.enabled
      ? undefined
      : {
          document: { enabled: command.enabled },
          messages: [eventMessage(registryEvents.reactionSwitched, name, { reaction, actor: command.actor })],
        },
  );
  return reaction;
};
