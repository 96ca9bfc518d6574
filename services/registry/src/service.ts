import { EvaluationServiceService } from '@millrace/contracts/evaluation';
import { RegistryServiceService, registryEvents } from '@millrace/contracts/registry';
import { newId, rpc, type ServiceModule } from '@millrace/service-kit';
import { consumersOf } from './adapters/consumers.ts';
import { evaluationReports } from './adapters/evaluation-reports.ts';
import { grpcHandlers } from './adapters/grpc-handlers.ts';
import { newContext, openCollections } from './application/context.ts';
import { registerStep } from './application/run-register-step.ts';

export {
  type AuditHead,
  type AuditRecord,
  type AuditVerdict,
  verifyAuditChain,
} from './domain/audit-chain.ts';
export { type AuditRule, auditRules } from './domain/audit-rules.ts';
export type { GraphChange, LineageEdge, LineageNode } from './domain/lineage/graph.ts';
export { lineageRules } from './domain/lineage/rules.ts';

/** Models, versions, aliases, approvals, lineage and the audit log. */
export const registry: ServiceModule = {
  name: 'registry',
  setup: async ({ store, blobs, peer, now }) => {
    const context = newContext({
      collections: openCollections(store),
      blobs,
      reports: evaluationReports(peer('evaluation', EvaluationServiceService)),
      now: () => new Date(now()).toISOString(),
      newId,
    });
    return {
      rpc: [rpc(RegistryServiceService, grpcHandlers(context))],
      consumers: consumersOf(context),
      // They say what has happened; what a version needs stands in its own document.
      storage: { journals: ['audit_records', 'lineage_nodes', 'lineage_edges', 'alias_moves'] },
      steps: {
        handlers: { register: registerStep(context) },
        events: registryEvents,
        concurrency: 4,
      },
    };
  },
};
