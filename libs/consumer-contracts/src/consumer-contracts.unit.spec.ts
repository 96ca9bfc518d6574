import { describe, expect, it } from 'vitest';
import { parseContract } from './contract.ts';
import { brokenPromises, type ConsumerContract, readContracts, unmetReads } from './index.ts';

describe('the contracts of this repository', () => {
  it('hold in the published messages', () => {
    expect(brokenPromises(readContracts())).toEqual([]);
  });
});

const contract = (more: object): ConsumerContract =>
  parseContract(JSON.stringify({ consumer: 'deployment', provider: 'registry', ...more }), 'a.b.yaml');

const call = { purpose: 'to load a model', given: 'there is one', request: {} };

describe('a contract that asks for what is not there', () => {
  it.each([
    [
      { rpcs: [{ ...call, rpc: 'getNothing' }] },
      'registry has no RPC getNothing, which is needed to load a model',
    ],
    [
      { rpcs: [{ ...call, rpc: 'getModelVersion', request: { name: 'x' } }] },
      'millrace.registry.v1.GetModelVersionRequest has no field name, which is needed to load a model',
    ],
    [
      { rpcs: [{ ...call, rpc: 'getModelVersion', reads: { 'modelVersion.approvals[].by': '<text>' } }] },
      'millrace.registry.v1.GetModelVersionResponse has no field modelVersion.approvals[].by, which is needed to load a model',
    ],
    [
      { events: [{ type: 'millrace.deployment.endpoint.deleted.v1', purpose: 'to stop' }] },
      'registry publishes no event millrace.deployment.endpoint.deleted.v1, which is needed to stop',
    ],
    [
      {
        events: [{ type: 'millrace.registry.alias.moved.v1', purpose: 'to follow', reads: { 'move.to': 1 } }],
      },
      'millrace.registry.v1.AliasMoved has no field move.to, which is needed to follow',
    ],
  ])('names provider, consumer, message and field: %j', (more, problem) => {
    expect(brokenPromises([contract(more)])).toEqual([`registry breaks deployment: ${problem}`]);
  });

  it('is refused when it is malformed, with file and field', () => {
    expect(() => contract({ events: [{ type: 'x', purpose: 'y', reads: { 'a..b': 1 } }] })).toThrow(
      'a.b.yaml: events.0.reads.a..b',
    );
  });
});

describe('an answer', () => {
  const answer = { model: { tags: { a: 'x', b: 'y' }, versions: [{ n: 1 }, { n: 0 }], empty: [] } };
  it.each([
    [{ 'model.tags.a': 'x', 'model.tags.*': '<text>', 'model.versions[].n': '<number>' }, []],
    [{ 'model.versions[].n': '<positive>' }, ['model.versions[].n is 0, expected <positive>']],
    [{ 'model.tags.c': '<text>' }, ['model.tags.c is undefined, expected <text>']],
    [{ 'model.empty[].n': '<any>' }, ['model.empty[].n is empty, expected <any>']],
    [{ 'model.tags.a': 'z' }, ['model.tags.a is "x", expected z']],
    [{ 'other.deep': '<digest>' }, ['other.deep is undefined, expected <digest>']],
  ] as const)('is held against what is read of it: %j', (reads, unmet) => {
    expect(unmetReads(answer, reads)).toEqual(unmet);
  });
});
