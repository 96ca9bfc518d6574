import { subscription } from '@millrace/bus';
import { deploymentEvents } from '@millrace/contracts/deployment';
import type { ServiceParts } from '@millrace/service-kit';
import { appendAuditRecord } from '../application/append-audit-record.ts';
import type { RegistryContext } from '../application/context.ts';
import { extendLineage } from '../application/extend-lineage.ts';
import { followPromotion, followRollback } from '../application/follow-deployment.ts';
import { auditEntryOf, auditRules } from '../domain/audit-rules.ts';
import { lineageRules } from '../domain/lineage/rules.ts';

/** Everything that the registry learns from events, its own included. */
export const consumersOf = (context: RegistryContext): NonNullable<ServiceParts['consumers']> => [
  {
    name: 'registry-audit',
    subscriptions: auditRules.map((rule) =>
      subscription(rule.definition, async (event, { handled }) => {
        await appendAuditRecord(context, event.id, auditEntryOf(rule, event), handled);
        return { kind: 'done' };
      }),
    ),
  },
  {
    name: 'registry-lineage',
    subscriptions: lineageRules.map(({ definition, project }) =>
      subscription(definition, async (event) => {
        await extendLineage(context, project(event.data));
        return { kind: 'done' };
      }),
    ),
  },
  {
    name: 'registry-aliases',
    subscriptions: [
      subscription(deploymentEvents.deploymentPromoted, (event, { handled }) =>
        followPromotion(context, event.data, handled),
      ),
      subscription(deploymentEvents.deploymentRolledBack, (event, { handled }) =>
        followRollback(context, event.data, handled),
      ),
    ],
  },
];
