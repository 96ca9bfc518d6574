import {
  ATTR_DB_COLLECTION_NAME,
  ATTR_DB_NAMESPACE,
  ATTR_DB_OPERATION_BATCH_SIZE,
  ATTR_DB_OPERATION_NAME,
  ATTR_DB_RESPONSE_STATUS_CODE,
  ATTR_DB_SYSTEM_NAME,
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_RPC_METHOD,
  ATTR_RPC_STATUS_CODE,
  ATTR_RPC_SYSTEM_NAME,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_FULL,
  ATTR_URL_PATH,
  ATTR_URL_SCHEME,
} from '@opentelemetry/semantic-conventions';
import {
  ATTR_MESSAGING_BATCH_MESSAGE_COUNT,
  ATTR_MESSAGING_CONSUMER_GROUP_NAME,
  ATTR_MESSAGING_DESTINATION_NAME,
  ATTR_MESSAGING_MESSAGE_BODY_SIZE,
  ATTR_MESSAGING_MESSAGE_ID,
  ATTR_MESSAGING_OPERATION_NAME,
  ATTR_MESSAGING_OPERATION_TYPE,
  ATTR_MESSAGING_SYSTEM_NAME,
} from '@opentelemetry/semantic-conventions/incubating';

type Attributes = Readonly<Record<string, unknown>>;

/** What one of OpenTelemetry's semantic conventions asks of a span, as far as we make such spans. */
export interface SpanConvention {
  readonly id: string;
  /** Page of the convention below `https://opentelemetry.io/docs/specs/semconv/`. */
  readonly page: string;
  readonly kind: 'client' | 'server' | 'producer' | 'consumer';
  /** A span with this attribute and kind is one of these. */
  readonly marker: string;
  /** The name in words, for the page. */
  readonly naming: string;
  readonly nameOf: (attributes: Attributes) => string;
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** Values that an attribute may have, where the convention lists them. */
  readonly values?: Readonly<Record<string, readonly string[]>>;
  /** Whether it must link to the span that caused it from elsewhere. */
  readonly linked?: true;
}

const rpc = {
  page: 'rpc/grpc/',
  marker: ATTR_RPC_SYSTEM_NAME,
  naming: `\`{${ATTR_RPC_METHOD}}\``,
  nameOf: (attributes: Attributes) => String(attributes[ATTR_RPC_METHOD]),
  required: [ATTR_RPC_SYSTEM_NAME, ATTR_RPC_METHOD, ATTR_RPC_STATUS_CODE],
  optional: [ATTR_SERVER_ADDRESS, ATTR_SERVER_PORT, ATTR_ERROR_TYPE],
  values: { [ATTR_RPC_SYSTEM_NAME]: ['grpc'] },
};

const messaging = {
  page: 'messaging/messaging-spans/',
  marker: ATTR_MESSAGING_SYSTEM_NAME,
  naming: `\`{${ATTR_MESSAGING_OPERATION_NAME}} {${ATTR_MESSAGING_DESTINATION_NAME}}\``,
  nameOf: (attributes: Attributes) =>
    `${attributes[ATTR_MESSAGING_OPERATION_NAME]} ${attributes[ATTR_MESSAGING_DESTINATION_NAME]}`,
};

const messageAttributes = [
  ATTR_MESSAGING_SYSTEM_NAME,
  ATTR_MESSAGING_OPERATION_NAME,
  ATTR_MESSAGING_OPERATION_TYPE,
  ATTR_MESSAGING_DESTINATION_NAME,
  ATTR_MESSAGING_MESSAGE_ID,
  ATTR_MESSAGING_MESSAGE_BODY_SIZE,
];

const messagingOptional = [
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_ERROR_TYPE,
  ATTR_MESSAGING_BATCH_MESSAGE_COUNT,
];

/** The conventions that our spans follow; the names are those of `@opentelemetry/semantic-conventions`. */
export const spanConventions: readonly SpanConvention[] = [
  {
    id: 'HTTP server',
    page: 'http/http-spans/',
    kind: 'server',
    marker: ATTR_HTTP_REQUEST_METHOD,
    naming: `\`{${ATTR_HTTP_REQUEST_METHOD}} {${ATTR_HTTP_ROUTE}}\``,
    nameOf: (attributes) => {
      const { [ATTR_HTTP_REQUEST_METHOD]: method, [ATTR_HTTP_ROUTE]: route } = attributes;
      return route === undefined ? String(method) : `${method} ${route}`;
    },
    required: [ATTR_HTTP_REQUEST_METHOD, ATTR_URL_PATH, ATTR_URL_SCHEME],
    // The route is absent where none matched; the status where the caller left before an answer.
    optional: [
      ATTR_HTTP_ROUTE,
      ATTR_HTTP_RESPONSE_STATUS_CODE,
      ATTR_SERVER_ADDRESS,
      ATTR_SERVER_PORT,
      ATTR_NETWORK_PROTOCOL_VERSION,
      ATTR_ERROR_TYPE,
    ],
  },
  {
    id: 'HTTP client',
    page: 'http/http-spans/',
    kind: 'client',
    marker: ATTR_HTTP_REQUEST_METHOD,
    naming: `\`{${ATTR_HTTP_REQUEST_METHOD}}\``,
    nameOf: (attributes) => String(attributes[ATTR_HTTP_REQUEST_METHOD]),
    required: [ATTR_HTTP_REQUEST_METHOD, ATTR_URL_FULL, ATTR_SERVER_ADDRESS, ATTR_SERVER_PORT],
    optional: [ATTR_HTTP_RESPONSE_STATUS_CODE, ATTR_ERROR_TYPE],
  },
  { id: 'gRPC server', kind: 'server', ...rpc },
  {
    id: 'gRPC client',
    kind: 'client',
    ...rpc,
    required: [...rpc.required, ATTR_SERVER_ADDRESS, ATTR_SERVER_PORT],
    optional: [ATTR_ERROR_TYPE],
  },
  {
    id: 'messaging producer',
    kind: 'producer',
    ...messaging,
    required: messageAttributes,
    optional: messagingOptional,
    values: {
      [ATTR_MESSAGING_SYSTEM_NAME]: ['nats'],
      [ATTR_MESSAGING_OPERATION_TYPE]: ['send'],
    },
  },
  {
    id: 'messaging consumer',
    kind: 'consumer',
    ...messaging,
    required: [...messageAttributes, ATTR_MESSAGING_CONSUMER_GROUP_NAME],
    optional: messagingOptional,
    values: {
      [ATTR_MESSAGING_SYSTEM_NAME]: ['nats'],
      [ATTR_MESSAGING_OPERATION_TYPE]: ['process'],
    },
    linked: true,
  },
  {
    id: 'database client',
    page: 'db/database-spans/',
    kind: 'client',
    marker: ATTR_DB_SYSTEM_NAME,
    naming: `\`{${ATTR_DB_OPERATION_NAME}} {${ATTR_DB_COLLECTION_NAME}}\``,
    nameOf: (attributes) => `${attributes[ATTR_DB_OPERATION_NAME]} ${attributes[ATTR_DB_COLLECTION_NAME]}`,
    required: [ATTR_DB_SYSTEM_NAME, ATTR_DB_NAMESPACE, ATTR_DB_COLLECTION_NAME, ATTR_DB_OPERATION_NAME],
    optional: [
      ATTR_DB_OPERATION_BATCH_SIZE,
      ATTR_DB_RESPONSE_STATUS_CODE,
      ATTR_SERVER_ADDRESS,
      ATTR_SERVER_PORT,
      ATTR_ERROR_TYPE,
    ],
    values: { [ATTR_DB_SYSTEM_NAME]: ['sqlite', 'mongodb'] },
  },
];
