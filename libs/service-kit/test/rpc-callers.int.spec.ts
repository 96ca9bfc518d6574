import { globSync } from 'node:fs';
import { join } from 'node:path';
import { ErrorCode, NotFound } from '@millrace/errors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RpcBinding, serviceNames } from '../src/index.ts';
import { callersOf } from '../src/rpc-callers.ts';
import type { RpcService } from '../src/rpc-types.ts';
import { TlsLab } from './tls-lab.ts';

const generated = join(import.meta.dirname, '..', '..', 'contracts', 'src', 'generated', 'millrace');

const isDefinition = (value: unknown): value is RpcService =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).some((method: unknown) => typeof (method as { path?: unknown })?.path === 'string');

/** Every gRPC service of the contracts. */
const definitions: readonly RpcService[] = (
  await Promise.all(
    globSync('**/*.ts', { cwd: generated }).map(async (file) =>
      Object.values((await import(join(generated, file))) as object),
    ),
  )
)
  .flat()
  .filter(isDefinition);

const methods = definitions.flatMap((definition) =>
  Object.entries(definition).map(([name, { path }]) => ({ definition, name, method: path.slice(1) })),
);

/** Who may call what services ask of each other. Everything else is users' and comes through the gateway. */
const betweenServices: Readonly<Record<string, readonly string[]>> = {
  'millrace.evaluation.v1.EvaluationService/FindVerdict': ['gateway', 'registry'],
  'millrace.evaluation.v1.EvaluationService/GetReport': ['gateway', 'registry'],
  // A batch is scored with the latest version of a model.
  'millrace.registry.v1.RegistryService/GetModel': ['gateway', 'deployment'],
  'millrace.registry.v1.RegistryService/GetModelVersion': ['gateway', 'deployment', 'pipeline'],
  'millrace.registry.v1.RegistryService/GetPolicy': ['gateway', 'deployment', 'pipeline'],
  'millrace.registry.v1.RegistryService/ResolveAlias': ['gateway', 'deployment', 'evaluation', 'pipeline'],
  'millrace.training.v1.TrackingService/GetRun': ['gateway', 'pipeline'],
  // The collector of garbage.
  'millrace.storage.v1.StorageService/ListDocuments': ['pipeline'],
  'millrace.storage.v1.StorageService/RemoveDocuments': ['pipeline'],
  'millrace.storage.v1.StorageService/PruneEvents': ['pipeline'],
};
const expectedCallers = (method: string): readonly string[] => betweenServices[method] ?? ['gateway'];

describe('the table of callers', () => {
  it('knows of contracts', () => expect(methods.length).toBeGreaterThan(60));

  it.each(methods.map(({ method }) => method))('has decided about %s', (method) => {
    expect(callersOf(method), `add ${method} to libs/service-kit/src/rpc-callers.ts`).toBeDefined();
    expect(callersOf(method)).toEqual(expectedCallers(method));
  });

  it('lets nobody call what it does not have', () => {
    expect(callersOf('millrace.registry.v1.RegistryService/DropEverything')).toBeUndefined();
    expect(callersOf('millrace.other.v1.OtherService/GetModel')).toBeUndefined();
    expect(callersOf('')).toBeUndefined();
  });
});

describe('every method, called by every service', () => {
  let lab: TlsLab;
  let port: number;
  beforeAll(async () => {
    lab = await TlsLab.open(serviceNames);
    const reached = () => Promise.reject(new NotFound('reached'));
    const bindings = definitions.map(
      (definition): RpcBinding => ({
        definition,
        handlers: Object.fromEntries(Object.keys(definition).map((name) => [name, reached])),
      }),
    );
    ({ port } = await lab.serve({ bindings, tls: await lab.tls('registry') }));
  });
  afterAll(() => lab.close());

  it.each([...serviceNames, 'operator', 'nats'])(
    'is answered or denied as the table says: %s',
    async (caller) => {
      const channel = lab.channel(port, await lab.tls(caller));
      const outcomes = await Promise.all(
        methods.map(async ({ definition, name, method }) => {
          const client = channel.service(definition) as Record<
            string,
            (request: unknown) => Promise<unknown>
          >;
          const error = await client[name]?.(definition[name]?.requestDeserialize(Buffer.alloc(0))).catch(
            (thrown: { code: string; message: string }) => thrown,
          );
          const { code, message } = error as { code: string; message: string };
          if (code === ErrorCode.denied)
            expect(message).toMatch(new RegExp(`${caller} may not call ${method}`));
          return [method, code] as const;
        }),
      );
      const expected = methods.map(({ method }) => {
        return [
          method,
          expectedCallers(method).includes(caller) ? ErrorCode.notFound : ErrorCode.denied,
        ] as const;
      });
      expect(Object.fromEntries(outcomes)).toEqual(Object.fromEntries(expected));
    },
  );
});
