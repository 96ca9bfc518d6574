import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IngestFixture, outputOf, startIngest } from './ingest-fixture.ts';

let ingest: IngestFixture;
beforeAll(async () => {
  ingest = await startIngest();
});
afterAll(() => ingest.stop());

const run = (contract: unknown, dataset: string, pipelineRunId: string) =>
  ingest.run('ingest', {
    pipelineRunId,
    config: { using: 'csv', location: 'd.csv', dataset, contract },
    files: { 'd.csv': 'id,y\n1,1\n2,200\n3,3\n' },
  });

describe('the contract of an ingest step', () => {
  it('fails the step where it blocks, and tells of the refusal', async () => {
    const { failure } = await run({ columns: { y: { max: 100 } } }, 'blocked', 'run-blocked');
    expect(failure?.error).toMatchObject({
      code: 'invalid',
      retryable: false,
      message: expect.stringContaining('1 of 3 rows have "y" above 100, for instance 200'),
      violations: [{ path: 'steps.ingest.contract.columns.y.max' }],
    });
    const [event] = await ingest.events('millrace.ingest.dataset_rejection.recorded.v1', 1);
    expect(event).toMatchObject({
      dataset: 'blocked',
      pipelineRunId: 'run-blocked',
      findings: [{ rule: 'columns.y.max', onViolation: 'block', violations: 1, examples: ['200'] }],
      sources: [{ location: 'd.csv' }],
    });
    const { datasetVersions } = await ingest.datasets.listDatasetVersions({
      dataset: 'blocked',
      page: undefined,
    });
    expect(datasetVersions).toEqual([]);
  });

  it('sets rows aside where it quarantines, and the others go on', async () => {
    const contract = { columns: { y: { max: { value: 100, on_violation: 'quarantine' } } } };
    const result = await run(contract, 'set-aside', 'run-set-aside');
    expect(outputOf(result, 'dataset').attributes.rows).toBe('2');
    const quarantine = await ingest.table(outputOf(result, 'quarantine').digest);
    expect(quarantine.columns.map(({ values }) => values)).toEqual([[2], [200], ['columns.y.max']]);
    expect(result.success?.warnings[0]).toMatch(/^set aside: 1 of 3 rows/);
    const { datasetVersion } = await ingest.datasets.getDatasetVersion({
      id: outputOf(result, 'dataset').id,
    });
    expect(datasetVersion).toMatchObject({
      quarantinedRows: 1,
      quarantineDigest: outputOf(result, 'quarantine').digest,
    });
  });

  it('fails the step when every row is set aside', async () => {
    const contract = { columns: { y: { max: { value: 0, on_violation: 'quarantine' } } } };
    const { failure } = await run(contract, 'all-aside', 'run-all-aside');
    expect(failure?.error?.message).toMatch(/every row breaks a rule that sets rows aside/);
  });

  it('goes on with a warning where it warns', async () => {
    const result = await run({ on_violation: 'warn', columns: { y: { max: 100 } } }, 'warned', 'run-warned');
    expect(outputOf(result, 'dataset').attributes.rows).toBe('3');
    expect(result.success?.warnings).toEqual(['1 of 3 rows have "y" above 100, for instance 200']);
  });
});
