import { AckPolicy, DeliverPolicy } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { subjects } from '../subjects.ts';
import { type ConsumerDeclaration, type StreamName, streams } from '../topology.ts';
import { type BusUser, busUsers, needsOf } from './service-needs.ts';

/** A durable consumer that a service uses. */
export interface DeclaredConsumer {
  readonly stream: StreamName;
  readonly service: BusUser;
  readonly declaration: ConsumerDeclaration;
}

export interface DeclarationSettings {
  /** Milliseconds until an idle worker's command is given to another: `MILLRACE_STEP_LEASE_MS`. */
  readonly stepLeaseMs: number;
}

/** Milliseconds after which the events in the hands of a process that died are given to another. */
export const eventLeaseMs = 5_000;
const recordLeaseMs = 30_000;

/** Subjects of exhausted messages as a keeper hands them on. */
export const exhaustedSubject = (stream: StreamName, consumer: string): string =>
  `${subjects.exhausted}.${stream}.${consumer}`;

export const exhaustedConsumer = (consumer: string): string => `${consumer}-exhausted`;

/** All durable consumers of all services, by `serviceNeeds`. */
export const declaredConsumers = (settings: DeclarationSettings): readonly DeclaredConsumer[] =>
  busUsers.flatMap((service) => {
    const used = usedBy(service, settings);
    const exhausted = used.map(({ stream, declaration }) => ({
      stream: streams.exhausted,
      service,
      declaration: {
        ...pulled(exhaustedConsumer(declaration.durable_name)),
        filter_subject: exhaustedSubject(stream, declaration.durable_name),
      },
    }));
    return [...used, ...exhausted];
  });

const usedBy = (service: BusUser, { stepLeaseMs }: DeclarationSettings): readonly DeclaredConsumer[] => {
  const { consumers, steps, records } = needsOf(service);
  const events = Object.entries(consumers).map(([name, entities]) => ({
    stream: streams.events,
    service,
    declaration: {
      ...pulled(name),
      filter_subjects: eventFilters(entities),
      ack_wait: nanos(eventLeaseMs),
      max_ack_pending: 256,
      // What is handed on as it is (`forwardEvents`) does not end its process: it is never given up.
      max_deliver: name === 'bridge-kafka' ? -1 : 50,
    },
  }));
  const queues = [
    ...(steps.length > 0 ? [queue(streams.steps, `${service}-steps`, `${service}.>`, stepLeaseMs)] : []),
    ...Object.entries(records).map(([stream, name]) =>
      queue(stream as 'INFERENCE' | 'SPANS', name, '>', recordLeaseMs),
    ),
  ].map(({ stream, declaration }) => ({ stream, service, declaration }));
  return [...events, ...queues];
};

const pulled = (durable_name: string) => ({
  durable_name,
  deliver_policy: DeliverPolicy.All,
  ack_policy: AckPolicy.Explicit,
});

const queue = (stream: 'STEPS' | 'INFERENCE' | 'SPANS', name: string, scope: string, leaseMs: number) => ({
  stream,
  declaration: {
    ...pulled(name),
    filter_subject: `${stream === 'STEPS' ? subjects.steps : subjectsOf[stream]}.${scope}`,
    ack_wait: nanos(leaseMs),
    max_deliver: 20,
  },
});

const subjectsOf = { INFERENCE: subjects.inference, SPANS: subjects.spans } as const;

/** `millrace.evt.<service>.<entity>.>` of each entity. */
export const eventFilters = (entities: readonly string[] | 'all'): string[] =>
  entities === 'all' ? [`${subjects.events}.>`] : entities.map((entity) => `${subjects.events}.${entity}.>`);
