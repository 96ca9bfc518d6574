import { describe, expect, it } from 'vitest';
import { Window } from './generated/monitoring.ts';
import { ModelVersionRegistered, registryEvents } from './generated/registry.ts';
import { StepCommand } from './generated/step.ts';
import { allEvents, defineEvent, entityId } from './index.ts';

describe('event types', () => {
  it('are many, and each stands for a subject of its own', () => {
    const events = [...allEvents.values()];
    expect(events.length).toBeGreaterThan(30);
    expect(new Set(events.map(({ subject }) => subject)).size).toBe(events.length);
  });

  it('name their service and entity, as the subject does', () => {
    for (const { type, subject, service, entity } of allEvents.values()) {
      expect(subject).toMatch(new RegExp(`^millrace\\.evt\\.${service}\\.${entity}\\.[a-z_]+\\.v\\d+$`));
      expect(type).toBe(subject.replace('millrace.evt.', 'millrace.'));
    }
  });

  it.each([
    'millrace.registry.model.v1',
    'Millrace.registry.model.moved.v1',
    'millrace.registry.model.moved.v0',
  ])('outside the grammar are refused by name: %s', (type) => {
    expect(() => defineEvent(type, ModelVersionRegistered)).toThrow(type);
  });

  it('number entities across services without mixing them up', () => {
    expect(entityId(registryEvents.modelVersionRegistered, 'flights/3')).toBe(
      'registry.model_version/flights/3',
    );
  });
});

describe('proto JSON', () => {
  it('reads what it writes', () => {
    const message = ModelVersionRegistered.fromPartial({
      modelVersion: {
        model: 'flights',
        version: 3,
        metrics: { root_mean_squared_error: 14.89 },
        inputExample: [{ dep_delay: 12, carrier: 'UA', temp: null }],
        registeredAt: '2026-01-02T03:04:05.000Z',
      },
    });
    const json = JSON.parse(JSON.stringify(ModelVersionRegistered.toJSON(message)));
    expect(ModelVersionRegistered.fromJSON(json)).toEqual(message);
  });

  it('ignores fields of a newer version', () => {
    const { modelVersion } = ModelVersionRegistered.fromJSON({
      modelVersion: { model: 'flights', fromTheFuture: 1 },
    });
    expect(modelVersion?.model).toBe('flights');
  });

  it('accepts 64-bit numbers as the strings that other languages write', () => {
    expect(Window.fromJSON({ records: '400' }).records).toBe(400);
  });

  it('refuses a binary 64-bit number that a JS number cannot hold', () => {
    // Field 8 (`records`) as the varint of 2^53.
    const bytes = Uint8Array.from([0x40, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]);
    expect(() => Window.decode(bytes)).toThrow('MAX_SAFE_INTEGER');
  });

  it('keeps arbitrary configuration as it is', () => {
    const config = {
      tuning: { enabled: true, parameters: { alpha: { values: [1, 2.5] } } },
      using: 'linear/ridge',
    };
    const command = StepCommand.fromPartial({ config });
    expect(StepCommand.decode(StepCommand.encode(command).finish()).config).toEqual(config);
  });
});
