export { defineEvent, type EventDefinition, entityId, type MessageCodec } from './event-definition.ts';
export { allEvents } from './generated/events.ts';
export { strictCodec } from './strict-codec.ts';
