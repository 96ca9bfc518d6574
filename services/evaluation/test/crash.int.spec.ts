import { withoutColumns } from '@millrace/modeling';
import { trainPackage } from '@millrace/modeling/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Lab, openLab } from './lab.ts';
import { trips } from './trips.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ separate: true });
});
afterAll(() => lab.stop());

describe('a service killed in the middle of an evaluation', () => {
  it('does it again after its restart, with one report and one result', async () => {
    const table = (rows: number, seed: number) => withoutColumns(trips({ rows, seed }), ['late']);
    const model = await lab.putModel(
      await trainPackage({
        table: table(300, 1),
        task: 'regression',
        target: 'minutes',
        using: 'ydf/random_forest',
      }),
    );
    const sent = {
      run: 'run-1',
      recipe: { modelName: 'trips' },
      validation: await lab.putTable(table(100, 2)),
      test: await lab.putTable(table(4000, 3)),
      model,
    };
    const working = lab.working(sent.run);
    await lab.send(sent);
    await working;
    await lab.kill();
    await lab.restart();
    const ended = ({ key, type }: { key: string; type: string }) =>
      key === 'run-1.evaluate.1' && type.includes('.step.');
    const events = await lab.eventsUntil(ended);
    expect(events.map(({ type }) => type)).toEqual([
      'millrace.evaluation.report.passed.v1',
      'millrace.evaluation.step.succeeded.v1',
    ]);
    expect((events[1]!.data as { result: { lease: number } }).result.lease).toBe(2);
    const { reports } = await lab.reports.listReports({ modelName: '', page: undefined });
    expect(reports).toHaveLength(1);
  });
});
