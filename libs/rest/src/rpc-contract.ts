import * as bridge from '@millrace/contracts/bridge';
import * as deployment from '@millrace/contracts/deployment';
import * as evaluation from '@millrace/contracts/evaluation';
import * as gateway from '@millrace/contracts/gateway';
import * as ingest from '@millrace/contracts/ingest';
import * as monitoring from '@millrace/contracts/monitoring';
import * as pipeline from '@millrace/contracts/pipeline';
import * as registry from '@millrace/contracts/registry';
import document from '@millrace/contracts/schemas.json' with { type: 'json' };
import * as training from '@millrace/contracts/training';
import type { JsonSchema } from './request-message.ts';
import type { ApiService, RpcRoute } from './routes.ts';

/** The generated definition of each service's RPCs. */
export const serviceDefinitions = {
  ingest: ingest.DatasetServiceService,
  training: training.TrackingServiceService,
  evaluation: evaluation.EvaluationServiceService,
  registry: registry.RegistryServiceService,
  deployment: deployment.DeploymentServiceService,
  monitoring: monitoring.MonitoringServiceService,
  pipeline: pipeline.PipelineServiceService,
  bridge: bridge.BridgeServiceService,
  gateway: gateway.TokenServiceService,
} as const;

interface JsonCodec {
  fromJSON(json: unknown): unknown;
  toJSON(message: unknown): unknown;
  fromPartial(partial: object): unknown;
}

/** Codecs of the messages of each RPC of a service. */
export type RpcCodecs = Readonly<
  Record<string, { readonly request: JsonCodec; readonly response: JsonCodec }>
>;

const codecs = {
  ingest: ingest.ingestRpcs,
  training: training.trainingRpcs,
  evaluation: evaluation.evaluationRpcs,
  registry: registry.registryRpcs,
  deployment: deployment.deploymentRpcs,
  monitoring: monitoring.monitoringRpcs,
  pipeline: pipeline.pipelineRpcs,
  bridge: bridge.bridgeRpcs,
  gateway: gateway.gatewayRpcs,
} as unknown as Readonly<Record<ApiService, RpcCodecs>>;

/** JSON Schemas of all messages, by full name. */
export const messageSchemas = document.schemas as Readonly<Record<string, JsonSchema>>;

const rpcs = document.rpcs as Readonly<Record<string, { request: string; response: string }>>;

/** What the gateway knows of an RPC: its messages' names, schemas and JSON codecs. */
export const rpcContract = ({ service, rpc }: Pick<RpcRoute, 'service' | 'rpc'>) => {
  const names = rpcs[`${service}.${rpc}`];
  const sides = codecs[service][rpc];
  if (names === undefined || sides === undefined)
    throw new Error(`no RPC ${service}.${rpc} in the contracts`);
  const side = (name: string, codec: JsonCodec) => {
    const schema = messageSchemas[name];
    if (schema === undefined) throw new Error(`no message ${name} in the contracts`);
    return { name, codec, schema };
  };
  return { request: side(names.request, sides.request), response: side(names.response, sides.response) };
};
