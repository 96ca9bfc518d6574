import { EvaluationServiceService } from '@millrace/contracts/evaluation';
import { RegistryServiceService, registryEvents } from '@millrace/contracts/registry';
import { PythonEnvironments } from '@millrace/python-runtime';
import { newId, readEnv, rpc, type ServiceModule } from '@millrace/service-kit';
import { z } from 'zod';
import { consumersOf } from './adapters/consumers.ts';
import { evaluationReports } from './adapters/evaluation-reports.ts';
import { grpcHandlers } from './adapters/grpc-handlers.ts';
import { newContext, openCollections } from './application/context.ts';
import { ModelImports } from './application/model-imports.ts';
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

const environment = z.object({
  /** Limit of the memory of the worker that checks an imported model, and of all that it starts, MiB. */
  MILLRACE_REGISTRY_PYTHON_MEMORY_MB: z.coerce.number().int().min(256).default(4096),
});

/** Models, versions, aliases, approvals, lineage and the audit log. */
export const registry: ServiceModule = {
  name: 'registry',
  setup: async ({ store, blobs, peer, now, env, log }) => {
    const context = newContext({
      collections: openCollections(store),
      blobs,
      reports: evaluationReports(peer('evaluation', EvaluationServiceService)),
      now: () => new Date(now()).toISOString(),
      newId,
    });
    const imports = new ModelImports(context, {
      environments: PythonEnvironments.open(),
      memoryMb: readEnv(environment, env).MILLRACE_REGISTRY_PYTHON_MEMORY_MB,
      onLog: ({ text }) => log.info({}, `a model that is imported wrote: ${text}`),
    });
    return {
      rpc: [rpc(RegistryServiceService, grpcHandlers(context, imports))],
      consumers: consumersOf(context),
      // They say what has happened; what a version needs stands in its own document.
      storage: { journals: ['audit_records', 'lineage_nodes', 'lineage_edges', 'alias_moves'] },
      steps: {
        handlers: { register: registerStep(context) },
        events: registryEvents,
        concurrency: 4,
      },
      start: () => imports.start(),
      stop: () => imports.stop(),
    };
  },
};
