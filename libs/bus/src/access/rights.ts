import { subjects } from '../subjects.ts';
import { streams } from '../topology.ts';
import { type DeclaredConsumer, declaredConsumers } from './declared-consumers.ts';
import { type BusUser, busUsers, needsOf } from './service-needs.ts';

/** What a user may do; everything else is refused. Subjects may have wildcards. */
export interface Rights {
  /** What it may send to the account that has the streams, and get answers from. */
  readonly requests: readonly string[];
  /** Within what `requests` allows: to change durable consumers, and to use those of others. */
  readonly never: readonly string[];
  /** Whose events it may ask for again. */
  readonly asks: readonly BusUser[];
  /** Whether others ask it for its events. */
  readonly answers: boolean;
  /** What it tells to who listens, not stored. */
  readonly tells: readonly string[];
  /** Whom it hears, by what they tell. */
  readonly hears: readonly { readonly from: BusUser; readonly subject: string }[];
}

/** Name of the user that only looks at streams, consumers and dead letters. */
export const observer = 'observer';

const api = '$JS.API';

/** The rights of a service, as they follow from its needs. */
export const rightsOf = (service: BusUser): Rights => {
  const needs = needsOf(service);
  const all = declaredConsumers({ stepLeaseMs: 0 });
  const own = all.filter((consumer) => consumer.service === service);
  const owned = new Set(own.map(nameOf));
  return {
    requests: [
      `${api}.INFO`,
      ...publishes(service, own),
      ...[...new Set([streams.events, streams.steps, ...own.map(({ stream }) => stream)])].map(
        (stream) => `${api}.STREAM.INFO.${stream}`,
      ),
      ...own.flatMap(({ stream, declaration: { durable_name: name } }) => [
        `${api}.CONSUMER.INFO.${stream}.${name}`,
        `${api}.CONSUMER.MSG.NEXT.${stream}.${name}`,
        `$JS.ACK.${stream}.${name}.>`,
      ]),
      ...ephemeralReading(needs.readsEvents ? `${subjects.events}.>` : `${subjects.events}.${service}.>`),
      `${api}.DIRECT.GET.${streams.events}.${subjects.events}.${service}.>`,
      ...(needs.readsEvents ? [`${api}.CONSUMER.CREATE.${streams.events}`] : []),
      ...(needs.handlesDeadLetters
        ? [
            `${api}.DIRECT.GET.${streams.dead}`,
            `${api}.DIRECT.GET.${streams.dead}.>`,
            `${subjects.keeper}.replay`,
          ]
        : []),
    ],
    never: all
      .filter(({ stream }) => stream === streams.events)
      .flatMap((consumer) => [
        ...changes(nameOf(consumer)),
        ...(owned.has(nameOf(consumer)) ? [] : uses(nameOf(consumer))),
      ]),
    asks: [...ownersOf(own)],
    answers: true,
    tells: needs.steps.map((step) => `${subjects.progress}.*.${step}`),
    hears: needs.hearsProgress
      ? busUsers.flatMap((from) =>
          needsOf(from).steps.map((step) => ({ from, subject: `${subjects.progress}.*.${step}` })),
        )
      : [],
  };
};

const nameOf = ({ declaration }: DeclaredConsumer): string => declaration.durable_name;

const publishes = (service: BusUser, own: readonly DeclaredConsumer[]): readonly string[] => {
  const needs = needsOf(service);
  const buries = own.filter(({ stream }) => stream !== streams.exhausted).map(nameOf);
  return [
    `${subjects.events}.${service}.>`,
    ...[...buries, `relay-${service}`].map((consumer) => `${subjects.dead}.${consumer}`),
    `${subjects.spans}.${service}`,
    ...(needs.sendsCommands ? [`${subjects.steps}.>`] : []),
    ...(needs.publishesInference ? [`${subjects.inference}.>`] : []),
  ];
};

/**
 * A consumer that lives as long as it is read. Its name is chance, so any is allowed; those of others are denied by
 * name, and what it may read is part of the subject that creates it.
 */
const ephemeralReading = (filter: string): readonly string[] => [
  `${api}.CONSUMER.CREATE.${streams.events}.*.${filter}`,
  `${api}.CONSUMER.INFO.${streams.events}.*`,
  `${api}.CONSUMER.DELETE.${streams.events}.*`,
  `${api}.CONSUMER.MSG.NEXT.${streams.events}.*`,
];

const changes = (consumer: string): readonly string[] => [
  `${api}.CONSUMER.CREATE.${streams.events}.${consumer}.>`,
  `${api}.CONSUMER.DELETE.${streams.events}.${consumer}`,
];

const uses = (consumer: string): readonly string[] => [
  `${api}.CONSUMER.INFO.${streams.events}.${consumer}`,
  `${api}.CONSUMER.MSG.NEXT.${streams.events}.${consumer}`,
];

/** Whose events the consumers get: those may have to be asked for them. */
const ownersOf = (own: readonly DeclaredConsumer[]): ReadonlySet<BusUser> => {
  const filters = own
    .filter(({ stream }) => stream === streams.events)
    .flatMap(({ declaration }) => declaration.filter_subjects ?? []);
  return new Set(
    busUsers.filter((owner) =>
      filters.some((filter) => filter === `${subjects.events}.>` || filter.split('.')[2] === owner),
    ),
  );
};

/** The observer looks at everything and changes nothing. */
export const observerRights: Rights = {
  requests: [
    `${api}.INFO`,
    `${api}.STREAM.NAMES`,
    `${api}.STREAM.LIST`,
    `${api}.STREAM.INFO.*`,
    `${api}.CONSUMER.NAMES.*`,
    `${api}.CONSUMER.LIST.*`,
    `${api}.CONSUMER.INFO.*.*`,
    // The age of what waits is that of the message.
    `${api}.DIRECT.GET.*`,
    `${api}.DIRECT.GET.${streams.dead}.>`,
  ],
  never: [],
  asks: [],
  answers: false,
  tells: [],
  hears: [],
};
