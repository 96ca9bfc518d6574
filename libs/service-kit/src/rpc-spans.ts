import { status } from '@grpc/grpc-js';
import { asMillraceError, ErrorCode, grpcStatusOf, type MillraceError } from '@millrace/errors';
import { failSpan, type SpanDetails } from '@millrace/telemetry';
import { type Context, type Span, SpanKind } from '@opentelemetry/api';
import {
  ATTR_RPC_METHOD,
  ATTR_RPC_STATUS_CODE,
  ATTR_RPC_SYSTEM_NAME,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  RPC_SYSTEM_NAME_VALUE_GRPC,
} from '@opentelemetry/semantic-conventions';

/** Statuses that are the server's own failure; the others are the caller's mistakes. */
const serverFailures: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.timedOut,
  ErrorCode.internal,
  ErrorCode.unavailable,
]);

const everyFailure = (): boolean => true;

const detailsOf = (
  kind: SpanKind,
  method: string,
  isFailure: (error: MillraceError) => boolean,
): SpanDetails & { readonly attributes: NonNullable<SpanDetails['attributes']> } => ({
  kind,
  attributes: {
    [ATTR_RPC_SYSTEM_NAME]: RPC_SYSTEM_NAME_VALUE_GRPC,
    [ATTR_RPC_METHOD]: method,
    // Until the call ends otherwise.
    [ATTR_RPC_STATUS_CODE]: status[status.OK],
  },
  onError: (span: Span, thrown: unknown) => {
    const error = asMillraceError(thrown);
    const name = status[grpcStatusOf(error.code)] ?? 'UNKNOWN';
    span.setAttribute(ATTR_RPC_STATUS_CODE, name);
    if (isFailure(error)) failSpan(span, name, error.message);
  },
});

/**
 * The span of a call that is answered, as the conventions for gRPC say.
 *
 * @param method `millrace.registry.v1.RegistryService/GetModel`
 */
export const rpcServerSpan = (method: string, caller: Context): SpanDetails => ({
  ...detailsOf(SpanKind.SERVER, method, ({ code }) => serverFailures.has(code)),
  context: caller,
});

/**
 * The span of a call that is made.
 *
 * @param address `host:port` of the peer
 */
export const rpcClientSpan = (method: string, address: string): SpanDetails => {
  const { attributes, ...details } = detailsOf(SpanKind.CLIENT, method, everyFailure);
  const colon = address.lastIndexOf(':');
  return {
    ...details,
    attributes: {
      ...attributes,
      [ATTR_SERVER_ADDRESS]: address.slice(0, colon),
      [ATTR_SERVER_PORT]: Number(address.slice(colon + 1)),
    },
  };
};
