import { providerSuite } from '@millrace/consumer-contracts/conformance';
import { withoutColumns } from '@millrace/modeling';
import { trainPackage } from '@millrace/modeling/testing';
import { type Lab, openLab } from './lab.ts';
import { trips } from './trips.ts';

let opened: Promise<Lab> | undefined;
const lab = (): Promise<Lab> => {
  opened ??= openLab();
  return opened;
};

const enter = async (known: Readonly<Record<string, string>>) => {
  const reports = (await lab()).reports as unknown as Record<string, (request: object) => Promise<unknown>>;
  return { call: async (rpc: string, request: object) => reports[rpc]?.(request), known };
};

/** Evaluates a model of flights that passes what is asked of it. */
const evaluated = async () => {
  const own = await lab();
  const table = (rows: number, seed: number) => withoutColumns(trips({ rows, seed }), ['late']);
  const files = await trainPackage({
    table: table(200, 1),
    task: 'regression',
    target: 'minutes',
    using: 'baseline/mean',
  });
  const model = await own.putModel(files);
  const outcome = await own.evaluate({
    run: 'run-1',
    recipe: { modelName: 'flights' },
    config: { validation_criteria: [{ metric: 'root_mean_squared_error', threshold: 1_000 }] },
    model,
    validation: await own.putTable(table(100, 2)),
    test: await own.putTable(table(100, 3)),
  });
  const [report] = outcome.result.outputs;
  return enter({ '<report>': report?.id ?? '', '<model>': model });
};

let passed: ReturnType<typeof evaluated> | undefined;

providerSuite({
  provider: 'evaluation',
  states: {
    'nothing was evaluated': () => enter({}),
    'flights was evaluated and passed': () => {
      passed ??= evaluated();
      return passed;
    },
  },
  close: async () => (await lab()).stop(),
});
