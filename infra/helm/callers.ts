import { type ServiceName, serviceNames } from '@millrace/service-kit';

interface RpcCallers {
  readonly provider: string;
  readonly callers: readonly ServiceName[];
}

/**
 * Which services call which over gRPC, from the table that the services themselves enforce by method: what network
 * policies let through. Every service answers `storage`, so that its callers may reach all others.
 */
export const callersByService = (
  table: readonly RpcCallers[],
): Readonly<Record<ServiceName, readonly ServiceName[]>> => {
  const callersOf = (provider: ServiceName): readonly ServiceName[] => {
    const rows = table.filter((row) => row.provider === provider || row.provider === 'storage');
    const callers = new Set(rows.flatMap((row) => row.callers));
    callers.delete(provider);
    return [...callers].sort();
  };
  return Object.fromEntries(serviceNames.map((name) => [name, callersOf(name)])) as Record<
    ServiceName,
    readonly ServiceName[]
  >;
};
