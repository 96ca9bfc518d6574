import type { WebhookFilter } from '@millrace/contracts/bridge';
import { Invalid } from '@millrace/errors';

/** What a filter is asked about. */
export interface FilteredEvent {
  readonly type: string;
  readonly entity: string;
}

/** A kind of event there is, from the catalogue. */
export interface KnownEvent {
  readonly type: string;
  readonly service: string;
  readonly entity: string;
}

const maxPatterns = 50;
const maxPatternLength = 512;
const typeGrammar = /^(\*|[a-z][a-z0-9_]*)(\.(\*|[a-z0-9_]+))*$/;

/** `*` stands for one part of a type; as the last one, for all that follow. */
const matchesType = (pattern: string, type: string): boolean => {
  const wanted = pattern.split('.');
  const parts = type.split('.');
  const open = wanted.at(-1) === '*';
  if (open ? parts.length < wanted.length : parts.length !== wanted.length) return false;
  return wanted.every((part, index) => part === '*' || part === parts[index]);
};

/** `*` at the end stands for anything. */
const matchesEntity = (pattern: string, entity: string): boolean =>
  pattern.endsWith('*') ? entity.startsWith(pattern.slice(0, -1)) : entity === pattern;

/** Whether an event is one that the filter lets through; an empty list lets all through. */
export const passes = ({ eventTypes, entities }: WebhookFilter, { type, entity }: FilteredEvent): boolean =>
  (eventTypes.length === 0 || eventTypes.some((pattern) => matchesType(pattern, type))) &&
  (entities.length === 0 || entities.some((pattern) => matchesEntity(pattern, entity)));

const checkList = (
  path: string,
  patterns: readonly string[],
  check: (pattern: string) => string | undefined,
) => {
  if (patterns.length > maxPatterns) throw Invalid.field(path, `must have at most ${maxPatterns} entries`);
  for (const [index, pattern] of patterns.entries()) {
    const problem = pattern.length > maxPatternLength ? 'is too long' : check(pattern);
    if (problem !== undefined) throw Invalid.field(`${path}[${index}]`, `"${pattern}" ${problem}`);
  }
};

/** Throws `Invalid` naming the entry that is malformed or can match nothing there is, such as a mistyped name. */
export const checkFilter = (
  filter: WebhookFilter | undefined,
  known: readonly KnownEvent[],
): WebhookFilter => {
  const { eventTypes, entities } = filter ?? { eventTypes: [], entities: [] };
  checkList('filter.eventTypes', eventTypes, (pattern) => {
    if (!typeGrammar.test(pattern)) return 'is not an event type, which may have "*" for a part';
    if (known.some(({ type }) => matchesType(pattern, type))) return undefined;
    return 'matches no event there is; see docs/events';
  });
  const kinds = known.map(({ service, entity }) => `${service}.${entity}/`);
  checkList('filter.entities', entities, (pattern) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
    if (/[\x00-\x1f\x7f]/.test(pattern)) return 'holds a control character';
    if (/\*./.test(pattern)) return 'may have "*" at its end only';
    const start = pattern.replace(/\*$/, '');
    const fits = pattern.endsWith('*')
      ? kinds.some((kind) => kind.startsWith(start) || start.startsWith(kind))
      : kinds.some((kind) => start.startsWith(kind) && start.length > kind.length);
    return fits ? undefined : 'is no entity, such as "registry.model_version/flights/*"';
  });
  return { eventTypes: [...eventTypes], entities: [...entities] };
};
