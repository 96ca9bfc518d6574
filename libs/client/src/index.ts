export {
  createClient,
  type DeepPartial,
  type EventsOptions,
  type MillraceClient,
  type PredictionOrigin,
  type RestService,
  type RestServices,
  type RunUpdate,
  type ServiceStatus,
  type ShownDeadLetter,
  type StreamedEvent,
  type Trace,
} from './client.ts';
export type { ClientOptions } from './transport.ts';
