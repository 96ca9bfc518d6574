import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { NotFound } from '@millrace/errors';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { digestOfBytes, type Evidence } from './evidence.ts';
import { History } from './history.ts';
import { type CheckOptions, checkInvariants, type InvariantId } from './invariants.ts';
import { Workload } from './workload.ts';

/** Proof that each check can fail: a state that is right in everything, broken in one place at a time. */

let dataDir: string;
beforeAll(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'millrace-broken-state-'));
});
afterAll(() => rmSync(dataDir, { recursive: true }));

const bytes = Buffer.from('a model');
const digest = digestOfBytes(bytes);
const secret = 'canary-of-a-unit-test';

const version = {
  model: 'm',
  version: 1,
  digest,
  profileDigest: '',
  aliases: ['production'],
  approvalState: 'APPROVAL_STATE_APPROVED',
  evaluationReportId: 'r',
};
const share = { revision: 1, percent: 100, shadow: false };

/** Only what the checks look at; nothing in it is implied by events, so that I4 is not what is tried here. */
const stateWith = (changes: object): Evidence =>
  ({
    client: {
      downloadBlob: async () => Readable.from([bytes]),
      registry: {
        getLineage: async () => {
          throw new NotFound('no node');
        },
      },
    },
    dataDir,
    events: [],
    runs: [],
    trainingRuns: [],
    datasetVersions: [],
    reports: [{ id: 'r', verdict: 'VERDICT_VALIDATED', modelDigest: digest, cardDigest: '' }],
    models: [{ name: 'm', aliases: { production: 1 } }],
    modelVersions: [version],
    aliasMoves: [],
    endpoints: [
      {
        endpoint: { name: 'e', traffic: [share] },
        revisions: [{ number: 1, state: 'REVISION_STATE_READY' }],
      },
    ],
    monitors: [],
    alerts: [],
    audit: [],
    auditVerdict: { intact: true },
    deadLetters: [],
    ...changes,
  }) as unknown as Evidence;

const resources = {
  processes: { registry: { rssMiB: 100, files: 40 } },
  temporary: [],
  outbox: { registry: 0 },
};

const brokenIn = async (
  changes: object,
  more: Partial<CheckOptions> = {},
): Promise<readonly InvariantId[]> => {
  const history = more.history ?? new History('F0', 'nothing', 1);
  const { findings } = await checkInvariants({
    evidence: stateWith(changes),
    history,
    workload: new Workload(history, () => []),
    secret,
    before: resources,
    after: resources,
    ...more,
  });
  // The state has a version, an alias and an endpoint that no event made.
  return findings.filter(({ id, violations }) => id !== 'I4' && violations.length > 0).map(({ id }) => id);
};

test('a state that is right breaks nothing', async () => {
  expect(await brokenIn({})).toEqual([]);
});

test('what has not ended and is owned by nobody breaks I3', async () => {
  const step = { name: 'train', state: 'STEP_STATE_RUNNING', outputs: [] };
  const run = { id: 'r1', state: 'RUN_STATE_SUCCEEDED', steps: [], project: undefined };
  expect(await brokenIn({ runs: [{ ...run, state: 'RUN_STATE_RUNNING' }] })).toEqual(['I3']);
  expect(await brokenIn({ runs: [{ ...run, steps: [step] }] })).toEqual(['I3']);
  const orphan = { id: 't', status: 'RUN_STATUS_RUNNING', pipelineRunId: 'r1' };
  expect(await brokenIn({ runs: [run], trainingRuns: [orphan] })).toEqual(['I3']);
  expect(await brokenIn({ runs: [{ ...run, state: 'RUN_STATE_WAITING' }] })).toEqual([]);
});

test('what the event log does not imply breaks I4', async () => {
  const { findings } = await checkInvariants({
    evidence: stateWith({}),
    history: new History('F0', 'nothing', 1),
    workload: new Workload(new History('F0', 'nothing', 1), () => []),
    secret,
    before: resources,
    after: resources,
  });
  expect(findings.find(({ id }) => id === 'I4')?.violations).toEqual([
    'model version m/1: the event log says nothing, the service APPROVED',
    'alias m@production: the event log says nothing, the service 1',
  ]);
});

test.each([
  ['two holders of an alias', { modelVersions: [version, { ...version, version: 2 }] }],
  ['no approval', { modelVersions: [{ ...version, approvalState: 'APPROVAL_STATE_PENDING' }] }],
  [
    'a gate of another digest',
    { reports: [{ id: 'r', verdict: 'VERDICT_VALIDATED', modelDigest: 'sha256:0' }] },
  ],
  ['a rejected evaluation', { reports: [{ id: 'r', verdict: 'VERDICT_REJECTED', modelDigest: digest }] }],
  [
    'half of the traffic',
    {
      endpoints: [
        {
          endpoint: { traffic: [{ ...share, percent: 50 }] },
          revisions: [{ number: 1, state: 'REVISION_STATE_READY' }],
        },
      ],
    },
  ],
  ['a revision that is not ready', { endpoints: [{ endpoint: { traffic: [share] }, revisions: [] }] }],
])('%s breaks I5', async (_, changes) => {
  expect(await brokenIn(changes)).toEqual(['I5']);
});

test('other bytes, and a blob that cannot be read, break I6', async () => {
  const other = { downloadBlob: async () => Readable.from([Buffer.from('another model')]) };
  expect(await brokenIn({ client: other })).toEqual(['I6']);
  const missing = {
    downloadBlob: async () => {
      throw new NotFound('no blob');
    },
  };
  expect(await brokenIn({ client: missing })).toEqual(['I6']);
  expect(await brokenIn({ client: missing }, { allow: { unreadableBlobs: true } })).toEqual([]);
  expect(await brokenIn({ client: other }, { allow: { unreadableBlobs: true } })).toEqual(['I6']);
});

test('the secret in a log, an event or an error breaks I8, as does a dead letter', async () => {
  expect(
    await brokenIn({ events: [{ entity: 'a', sequence: 1, id: 'x', type: 't', key: 'k', data: secret }] }),
  ).toEqual(['I8']);
  expect(await brokenIn({ deadLetters: [{ subject: 's', reason: 'r' }] })).toEqual(['I8']);
  const history = new History('F0', 'nothing', 1);
  await history.attempt('call', 1, () => Promise.reject(new NotFound(`no token ${secret}`)));
  expect(await brokenIn({}, { history })).toContain('I8');
  writeFileSync(join(dataDir, 'millrace.log'), `{"msg":"Bearer ${secret}"}\n`);
  expect(await brokenIn({})).toEqual(['I8']);
  rmSync(join(dataDir, 'millrace.log'));
});

test('memory, file handles, temporary files and a full outbox break I9', async () => {
  const after = (changes: object) => brokenIn({}, { after: { ...resources, ...changes } });
  expect(await after({ processes: { registry: { rssMiB: 5_000, files: 40 } } })).toEqual(['I9']);
  expect(await after({ processes: { registry: { rssMiB: 100, files: 400 } } })).toEqual(['I9']);
  expect(await after({ temporary: Array.from({ length: 100 }, String) })).toEqual(['I9']);
  expect(await after({ outbox: { registry: 3 } })).toEqual(['I9']);
});

test('a recovery that took too long breaks I10', async () => {
  const history = new History('F0', 'nothing', 1);
  history.recoveries.push(200_000);
  expect(await brokenIn({}, { history })).toEqual(['I10']);
});
