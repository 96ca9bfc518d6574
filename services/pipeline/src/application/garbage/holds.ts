import { type BlobStore, isDigest, parseDigest } from '@millrace/blobs';
import type { Actor } from '@millrace/contracts/common';
import { pipelineEvents } from '@millrace/contracts/pipeline';
import { Conflict, Invalid, NotFound } from '@millrace/errors';
import { eventMessage } from '@millrace/service-kit';
import type { Collection, Page } from '@millrace/store';

/** Something that is kept until its hold is released. */
export interface Hold {
  readonly subject: string;
  readonly reason: string;
  readonly placedBy: Actor;
  /** Milliseconds since the epoch. */
  readonly placedAt: number;
}

export interface HoldDependencies {
  readonly holds: Collection<Hold>;
  readonly blobs: BlobStore;
  /** Whether there is a model version `flights/3`. */
  readonly hasModelVersion: (model: string, version: number) => Promise<boolean>;
  readonly hasRun: (id: string) => Promise<boolean>;
  /** Whether garbage is being collected, by a collection that may have read the holds already. */
  readonly isCollecting: () => Promise<boolean>;
  readonly now: () => number;
}

const maxReason = 1_000;
const modelVersionPattern = /^([^/\s]+)\/([1-9]\d{0,8})$/;

/** The hold on the wire. */
export const holdView = ({ placedAt, ...hold }: Hold) => ({
  ...hold,
  placedAt: new Date(placedAt).toISOString(),
});

/**
 * Keeps a thing that exists, and what it refers to. Another hold of the same thing takes its place.
 * @throws Conflict while garbage is collected: whether the collection knew of the hold could not be said.
 */
export const placeHold = async (
  dependencies: HoldDependencies,
  { subject, actor }: { readonly subject: string; readonly actor: Actor },
): Promise<Hold> => {
  const { reason } = actor;
  if (reason.trim() === '' || reason.length > maxReason) {
    throw Invalid.field('actor.reason', `must say in at most ${maxReason} characters why it is kept`);
  }
  if (!(await exists(dependencies, subject))) throw new NotFound(`there is no ${subject}`);
  const hold = { subject, reason, placedBy: actor, placedAt: dependencies.now() };
  await dependencies.holds.update(subject, () => ({
    document: hold,
    messages: [eventMessage(pipelineEvents.holdPlaced, subject, { hold: holdView(hold) })],
  }));
  // A collection that begins from now on reads the hold; one that is under way may be about to remove the thing.
  if (await dependencies.isCollecting()) {
    await releaseHold(dependencies, { subject, actor });
    throw new Conflict('garbage is being collected', { hint: 'Place the hold again when it has ended.' });
  }
  if (!(await exists(dependencies, subject))) {
    await releaseHold(dependencies, { subject, actor });
    throw new NotFound(`${subject} was removed while the hold was placed`);
  }
  return hold;
};

/** @throws NotFound when nobody holds it. */
export const releaseHold = async (
  { holds }: Pick<HoldDependencies, 'holds'>,
  { subject, actor }: { readonly subject: string; readonly actor: Actor },
): Promise<void> => {
  await holds.update(subject, (current) => {
    if (current === undefined) throw new NotFound(`there is no hold of ${subject}`);
    const released = { hold: holdView(current.document), actor };
    return { document: null, messages: [eventMessage(pipelineEvents.holdReleased, subject, released)] };
  });
};

export const listHolds = (
  { holds }: Pick<HoldDependencies, 'holds'>,
  page: { readonly limit?: number; readonly cursor?: string },
): Promise<Page<Hold>> => holds.find(page);

const exists = async (
  { blobs, hasModelVersion, hasRun }: HoldDependencies,
  subject: string,
): Promise<boolean> => {
  // Asking for a blob also takes it back when it was put aside as garbage.
  if (isDigest(subject)) return (await blobs.has(parseDigest(subject))) !== undefined;
  const [, model, version] = modelVersionPattern.exec(subject) ?? [];
  if (model !== undefined) return hasModelVersion(model, Number(version));
  if (/^\S{1,256}$/.test(subject)) return hasRun(subject);
  throw Invalid.field('subject', 'must be a digest, the id of a run, or a model version such as flights/3');
};
