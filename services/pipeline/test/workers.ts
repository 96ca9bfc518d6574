import type { BlobStore } from '@millrace/blobs';
import type { EventDefinition } from '@millrace/contracts';
import { deploymentEvents } from '@millrace/contracts/deployment';
import { evaluationEvents } from '@millrace/contracts/evaluation';
import { ingestEvents } from '@millrace/contracts/ingest';
import { monitoringEvents } from '@millrace/contracts/monitoring';
import {
  ApprovalState,
  ModelVersion,
  type Policy,
  RegistryServiceService,
  registryEvents,
} from '@millrace/contracts/registry';
import type { Artifact, StepCommand, StepFailure, StepSuccess } from '@millrace/contracts/step';
import { trainingEvents } from '@millrace/contracts/training';
import { NotFound, Unavailable } from '@millrace/errors';
import {
  eventMessage,
  type Runtime,
  rpc,
  type ServiceModule,
  type ServiceName,
  type StepContext,
  type StepHandler,
} from '@millrace/service-kit';

/** What a stand-in does when it is given a step; the default succeeds with `outputsOf`. */
export type Behaviour = (context: StepContext, succeed: () => Promise<Artifact[]>) => Promise<Artifact[]>;

interface StepEvents {
  readonly stepSucceeded: EventDefinition<{ result?: StepSuccess | undefined }>;
  readonly stepFailed: EventDefinition<{ result?: StepFailure | undefined }>;
}

const services: Readonly<Record<string, { readonly steps: readonly string[]; readonly events: StepEvents }>> =
  {
    ingest: { steps: ['ingest', 'split', 'ingest_scoring'], events: ingestEvents },
    training: { steps: ['transform', 'train'], events: trainingEvents },
    evaluation: { steps: ['evaluate'], events: evaluationEvents },
    registry: { steps: ['register'], events: registryEvents },
    deployment: { steps: ['deploy', 'predict'], events: deploymentEvents },
    monitoring: { steps: ['monitor'], events: monitoringEvents },
  };

/**
 * Stand-ins for the services that do steps: real queue consumers with the real step worker, whose work is to store a
 * blob that depends on the step's inputs, and to note that they did it.
 */
export class Workers {
  /** Every execution that came to its end: `run_….train.1`. */
  readonly effects: string[] = [];
  readonly commands: StepCommand[] = [];
  readonly behaviours = new Map<string, Behaviour>();
  readonly runtimes = new Map<ServiceName, Runtime>();
  readonly approvals = new Map<string, ApprovalState>();
  /** Version that serves, by model. */
  readonly champions = new Map<string, number>();
  /** So many questions for a champion find the registry away. */
  failingQuestions = 0;
  policy: Policy = {
    protectedAliases: [],
    requiredApprovals: 1,
    fourEyes: false,
    approvalExpiryDays: 0,
    requirePassedEvaluation: false,
  };

  modules(): readonly ServiceModule[] {
    return Object.entries(services).map(([name, { steps, events }]) => ({
      name: name as ServiceName,
      setup: async (runtime: Runtime) => {
        this.runtimes.set(name as ServiceName, runtime);
        const handlers = Object.fromEntries(steps.map((step) => [step, this.#handler(runtime.blobs)]));
        return {
          steps: { handlers, events, concurrency: 4 },
          ...(name === 'registry' ? { rpc: [this.#registry()] } : {}),
        };
      },
    }));
  }

  /** Publishes an event as if the service had done so. */
  async publish<T>(
    service: ServiceName,
    definition: EventDefinition<T>,
    key: string,
    data: T,
  ): Promise<void> {
    const runtime = this.runtimes.get(service);
    if (runtime === undefined) throw new Error(`${service} does not run`);
    const documents = runtime.store.collection<{ at: number }>({ name: 'published' });
    await documents.update(key, (current) => ({
      document: { at: (current?.document.at ?? 0) + 1 },
      messages: [eventMessage(definition, key, data)],
    }));
  }

  async approve(subject: string, state: 'approved' | 'rejected'): Promise<void> {
    const [model = '', version = ''] = subject.split('/');
    const approved = state === 'approved';
    this.approvals.set(
      subject,
      approved ? ApprovalState.APPROVAL_STATE_APPROVED : ApprovalState.APPROVAL_STATE_REJECTED,
    );
    const modelVersion = ModelVersion.fromPartial({ model, version: Number(version) });
    const definition = approved ? registryEvents.modelVersionApproved : registryEvents.modelVersionRejected;
    await this.publish('registry', definition, subject, { modelVersion, approval: undefined });
  }

  #handler(blobs: BlobStore): StepHandler {
    return async (context) => {
      const { command } = context;
      this.commands.push(command);
      const succeed = async (): Promise<Artifact[]> => {
        const outputs = await outputsOf(command, blobs);
        this.effects.push(`${command.pipelineRunId}.${command.step}.${command.attempt}`);
        return outputs;
      };
      const behaviour = this.behaviours.get(command.step);
      return { outputs: behaviour === undefined ? await succeed() : await behaviour(context, succeed) };
    };
  }

  #registry() {
    const handlers = {
      getModelVersion: async ({ model, version }: { model: string; version: number }) => {
        const approvalState =
          this.approvals.get(`${model}/${version}`) ?? ApprovalState.APPROVAL_STATE_PENDING;
        return { modelVersion: ModelVersion.fromPartial({ model, version, approvalState }) };
      },
      resolveAlias: async ({ model }: { model: string }) => {
        this.failingQuestions -= 1;
        if (this.failingQuestions >= 0) throw new Unavailable('the registry is away');
        const version = this.champions.get(model);
        if (version === undefined) throw new NotFound(`${model} has no champion`);
        return { modelVersion: ModelVersion.fromPartial({ model, version }), move: undefined };
      },
      getPolicy: async () => ({ policy: this.policy }),
    };
    return rpc(RegistryServiceService, handlers as never);
  }
}

const kinds: Readonly<Record<string, string>> = {
  ingest: 'dataset_version',
  split: 'split',
  transform: 'transform',
  train: 'model',
  evaluate: 'evaluation_report',
  register: 'model_version',
  deploy: 'endpoint_revision',
  monitor: 'monitor',
};

/** A blob that depends on the config and the inputs only, as a deterministic step's would. */
const outputsOf = async (command: StepCommand, blobs: BlobStore): Promise<Artifact[]> => {
  const inputs = command.inputs.map(({ name, digest }) => `${name}=${digest}`);
  const text = JSON.stringify([command.step, command.config, inputs, command.recipe?.seed]);
  const { digest, size } = await blobs.put(new TextEncoder().encode(text));
  const id = command.step === 'register' ? `${command.recipe?.modelName}/1` : '';
  const output = { name: `${command.step}_output`, kind: kinds[command.step] ?? '', id, digest, size };
  return [{ ...output, mediaType: 'application/json', attributes: {} }];
};
