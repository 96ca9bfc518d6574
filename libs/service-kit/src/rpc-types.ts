import type { Metadata } from '@grpc/grpc-js';

/** What is read of a generated service definition: one entry per unary method. */
export interface RpcMethod<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (value: Request) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => Request;
  readonly responseSerialize: (value: Response) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

export type RpcService = Readonly<Record<string, RpcMethod<never, unknown>>>;

/** What a handler may want to know of its call. */
export interface CallContext {
  /** Aborted when the caller gives up or its deadline passes. */
  readonly signal: AbortSignal;
  readonly metadata: Metadata;
}

/** One function per method, free of gRPC; throw an error of the taxonomy to answer with it. */
export type RpcHandlers<S> = {
  readonly [K in keyof S]: S[K] extends {
    requestDeserialize: (bytes: Buffer) => infer Request;
    responseSerialize: (value: infer Response) => Buffer;
  }
    ? (request: Request, call: CallContext) => Promise<Response>
    : never;
};

export interface CallOptions {
  /** Milliseconds until the call is given up; default 10,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** One promise-returning function per method. */
export type RpcClient<S> = {
  readonly [K in keyof S]: S[K] extends {
    requestSerialize: (value: infer Request) => Buffer;
    responseDeserialize: (bytes: Buffer) => infer Response;
  }
    ? (request: Request, options?: CallOptions) => Promise<Response>
    : never;
};
