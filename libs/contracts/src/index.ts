export { defineEvent, entityId, type EventDefinition, type MessageCodec } from './event-definition.ts';
export { allEvents } from './generated/events.ts';
