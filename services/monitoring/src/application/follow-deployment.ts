import type { Event, EventContext, Outcome } from '@millrace/bus';
import type { DeploymentRolledBack, EndpointDeleted } from '@millrace/contracts/deployment';
import { reactions } from '../domain/reactions.ts';
import type { Dependencies } from './ports.ts';
import { countFired, isEnabled } from './reaction-switches.ts';

/** After a rollback: compares the endpoint with the baseline of the revision that serves again. */
export const followRollback =
  ({ collections, now }: Dependencies) =>
  async ({ data }: Event<DeploymentRolledBack>, { handled }: EventContext): Promise<Outcome> => {
    const endpoint = data.endpoint?.name ?? '';
    const restored = data.restored?.number ?? 0;
    const ignore = async (reason: string): Promise<Outcome> => ({ kind: 'ignored', reason });
    if (!(await isEnabled(collections, reactions.rollback))) return ignore('the reaction is switched off');
    const updatedAt = new Date(now()).toISOString();
    const changed = await collections.monitors.update(
      endpoint,
      (current) => {
        if (current === undefined || current.document.revision === restored) return undefined;
        if (current.document.bindings[String(restored)] === undefined) return undefined;
        return { document: { ...current.document, revision: restored, updatedAt } };
      },
      { handled },
    );
    if (changed?.document.updatedAt !== updatedAt)
      return ignore('no monitor knows the restored revision, or it is bound already');
    await countFired(collections, reactions.rollback, now());
    return { kind: 'done' };
  };

/** An endpoint that is gone is no longer monitored; its windows and alerts stay as history. */
export const followDeletion =
  ({ collections }: Dependencies) =>
  async ({ data }: Event<EndpointDeleted>, { handled }: EventContext): Promise<Outcome> => {
    await collections.monitors.update(
      data.endpoint,
      (current) => (current === undefined ? undefined : { document: null }),
      { handled },
    );
    return { kind: 'done' };
  };
