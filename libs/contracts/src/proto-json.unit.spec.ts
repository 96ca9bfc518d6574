import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFileRegistry, fromBinary, fromJson, type JsonValue } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { ErrorCode } from '@millrace/errors';
import { describe, expect, it } from 'vitest';
import shapes from './generated/shapes.json' with { type: 'json' };
import { StepCommand } from './generated/step.ts';
import { allEvents, strictCodec } from './index.ts';
import { jsonCheck, type Shapes } from './proto-json.ts';

/** The canonical parser of the same messages, as the reference. */
const registry = createFileRegistry(
  fromBinary(
    FileDescriptorSetSchema,
    readFileSync(join(import.meta.dirname, '../../../proto/released.binpb')),
  ),
);

const referenceTakes = (message: string, json: unknown): boolean => {
  const descriptor = registry.getMessage(message);
  if (descriptor === undefined) throw new Error(`no message ${message}`);
  try {
    fromJson(descriptor, json as JsonValue, { ignoreUnknownFields: true });
    return true;
  } catch {
    return false;
  }
};

const check = (message: string, json: unknown) => jsonCheck(shapes as Shapes, message)(json);

const window = 'millrace.monitoring.v1.Window';
const drift = 'millrace.monitoring.v1.DriftResult';
const label = 'millrace.monitoring.v1.Label';
const alert = 'millrace.monitoring.v1.Alert';
const version = 'millrace.registry.v1.ModelVersion';
const registered = 'millrace.registry.v1.ModelVersionRegistered';
const command = 'millrace.step.v1.StepCommand';

/** Message, JSON that does not fit it, and the path that is named. */
const misfits: readonly (readonly [string, unknown, string])[] = [
  [window, 'text', ''],
  [window, null, ''],
  [window, [], ''],
  [window, 7, ''],
  [window, { id: 7 }, 'id'],
  [window, { id: {} }, 'id'],
  [window, { id: '\ud800' }, 'id'],
  [window, { number: 'seven' }, 'number'],
  [window, { number: '' }, 'number'],
  [window, { number: ' 7' }, 'number'],
  [window, { number: 1.5 }, 'number'],
  [window, { number: '1.5' }, 'number'],
  [window, { number: true }, 'number'],
  [window, { number: [1] }, 'number'],
  [window, { number: 2 ** 31 }, 'number'],
  [window, { number: '-2147483649' }, 'number'],
  [window, { records: 1.5 }, 'records'],
  [window, { records: '9223372036854775808' }, 'records'],
  [window, { closed: 'true' }, 'closed'],
  [window, { closed: 1 }, 'closed'],
  [window, { from: 'yesterday' }, 'from'],
  [window, { from: 1_767_312_000 }, 'from'],
  [window, { from: '2026-13-01T00:00:00Z' }, 'from'],
  [window, { from: '2026-01-02 03:04:05Z' }, 'from'],
  [window, { from: '2026-01-02T03:04:05' }, 'from'],
  [window, { latencyP50Ms: 'fast' }, 'latencyP50Ms'],
  [window, { latencyP50Ms: {} }, 'latencyP50Ms'],
  [window, { latencyP50Ms: 'nan' }, 'latencyP50Ms'],
  [window, { latency_p50_ms: 'fast' }, 'latency_p50_ms'],
  [window, { qualityFindings: 'one' }, 'qualityFindings'],
  [window, { qualityFindings: { 0: 'one' } }, 'qualityFindings'],
  [window, { qualityFindings: ['one', 2] }, 'qualityFindings[1]'],
  [window, { qualityFindings: ['one', null] }, 'qualityFindings[1]'],
  [window, { drift: [{ feature: 'a' }, { feature: 'b', pValue: 'low' }] }, 'drift[1].pValue'],
  [window, { drift: { feature: 'a' } }, 'drift'],
  [window, { performance: [] }, 'performance'],
  [window, { performance: { rmse: 'low' } }, 'performance["rmse"]'],
  [window, { performance: { rmse: null } }, 'performance["rmse"]'],
  [window, { recordsByRevision: { one: 1 } }, 'recordsByRevision["one"]'],
  [window, { recordsByRevision: { 4294967296: 1 } }, 'recordsByRevision["4294967296"]'],
  [window, { recordsByRevision: { 1: 'many' } }, 'recordsByRevision["1"]'],
  [label, { number: 1, text: 'one' }, 'text'],
  [alert, { severity: {} }, 'severity'],
  [alert, { severity: 1.5 }, 'severity'],
  [version, { inputExample: [7] }, 'inputExample[0]'],
  [version, { inputExample: {} }, 'inputExample'],
  [version, { registeredBy: 'me' }, 'registeredBy'],
  [registered, { modelVersion: { registeredBy: { name: ['me'] } } }, 'modelVersion.registeredBy.name'],
  [registered, { modelVersion: [] }, 'modelVersion'],
  [command, { config: 'none' }, 'config'],
  [command, { config: [] }, 'config'],
];

/** Message, and JSON that canonical proto JSON allows for it. */
const fits: readonly (readonly [string, unknown])[] = [
  [window, {}],
  [window, { number: null, records: null, drift: null, performance: null, from: null, closed: null }],
  [window, { number: '7', records: '400' }],
  [window, { number: 7.0, records: 1e3 }],
  [window, { number: '-2147483648', records: '9007199254740991' }],
  [window, { latencyP50Ms: 'NaN', latencyP95Ms: 'Infinity' }],
  [window, { latencyP50Ms: '1.5e-3', latency_p95_ms: '-Infinity' }],
  [window, { from: '2026-01-02T03:04:05Z', to: '2026-01-02T03:04:05.123456789+01:00' }],
  [window, { recordsByRevision: { '-1': '2', 3: 4 } }],
  [window, { performance: { rmse: '1.5', mae: 2 } }],
  [window, { fromTheFuture: { anything: [1] }, qualityFindings: [] }],
  [drift, { pValue: null }],
  [drift, { p_value: 0.5 }],
  [label, { number: 1, text: null }],
  [alert, { severity: 1, state: 'ALERT_STATE_UNSPECIFIED' }],
  [alert, { severity: 99 }],
  [version, { inputExample: [{ a: [null, { b: 1 }] }] }],
  [registered, { model_version: { registered_at: '2026-01-02T03:04:05Z' } }],
  [command, { config: { tuning: { alpha: [1, 2.5, null] } } }],
];

describe('the check of received JSON', () => {
  it.each(misfits)('%s: refuses %j and names "%s"', (message, json, path) => {
    expect(check(message, json)).toEqual({ path, message: expect.stringMatching(/\S/) });
    expect(referenceTakes(message, json)).toBe(false);
  });

  it.each(fits)('%s: accepts %j', (message, json) => {
    expect(check(message, json)).toBeUndefined();
    expect(referenceTakes(message, json)).toBe(true);
  });

  it('refuses the name of an enum value that it does not know', () => {
    expect(check(alert, { severity: 'SEVERITY_ENORMOUS' })).toEqual({
      path: 'severity',
      message: expect.stringContaining('must be one of SEVERITY_UNSPECIFIED'),
    });
  });

  it('refuses 64-bit numbers that a JS number does not hold', () => {
    expect(check(window, { records: '9007199254740993' })?.path).toBe('records');
    expect(check(window, { records: 2 ** 53 })?.path).toBe('records');
  });

  it('refuses hexadecimal numbers, which the reference lets pass', () => {
    expect(check(window, { number: '0x7' })?.path).toBe('number');
  });

  it('does not repeat texts, which may be secrets', () => {
    expect(check(window, { number: 'hunter2' })?.message).toBe('must be a whole number, not text');
  });

  it('knows the other types of proto too', () => {
    const all: Shapes = {
      messages: {
        All: {
          unsigned: { type: 'uint64' },
          small: { type: 'float' },
          data: { type: 'bytes' },
          flags: { type: 'string', many: 'map', key: 'bool' },
          self: { type: 'message', of: 'All' },
        },
      },
      enums: {},
    };
    const checkAll = jsonCheck(all, 'All');
    expect(
      checkAll({ unsigned: 1, small: -3.4e38, data: 'aGk=', flags: { true: 'x' }, self: { data: '_-8' } }),
    ).toBeUndefined();
    expect(checkAll({ unsigned: -1 })?.path).toBe('unsigned');
    expect(checkAll({ small: 1e39 })?.path).toBe('small');
    expect(checkAll({ data: 'a b' })?.path).toBe('data');
    expect(checkAll({ flags: { yes: 'x' } })?.path).toBe('flags["yes"]');
    expect(checkAll({ self: { self: { data: 1 } } })?.path).toBe('self.self.data');
  });

  it('fails on a message that is not in the contracts', () => {
    expect(() => jsonCheck(shapes as Shapes, 'millrace.nothing.v1.Nothing')).toThrow('Nothing');
  });
});

describe('a strict codec', () => {
  it('reads what fits as the lenient one does', () => {
    const json = { pipelineRunId: 'run_1', attempt: '2', config: { a: null } };
    expect(strictCodec(StepCommand, command).fromJSON(json)).toEqual(StepCommand.fromJSON(json));
  });

  it('throws `Invalid` with the path of what does not', () => {
    expect(() => strictCodec(StepCommand, command).fromJSON({ recipe: { seed: 'x' } })).toThrow(
      expect.objectContaining({
        code: ErrorCode.invalid,
        violations: [{ path: 'recipe.seed', message: 'must be a whole number, not text' }],
      }),
    );
  });

  it('is that of every published event', () => {
    for (const { type, codec } of allEvents.values()) {
      expect(() => codec.fromJSON([]), type).toThrow('must be an object');
      expect(codec.fromJSON(codec.toJSON(codec.fromJSON({}))), type).toEqual(codec.fromJSON({}));
    }
  });
});
