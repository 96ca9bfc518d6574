import { providerSuite } from '@millrace/consumer-contracts/conformance';
import { Platform, projectFiles } from './platform.ts';

let opened: Promise<Platform> | undefined;
const start = async (): Promise<Platform> => {
  const platform = await Platform.start();
  await platform.startPipeline();
  return platform;
};
const platform = (): Promise<Platform> => {
  opened ??= start();
  return opened;
};

const enter = async (known: Readonly<Record<string, string>>) => {
  const client = (await platform()).client as unknown as Record<
    string,
    (request: object) => Promise<unknown>
  >;
  return { call: async (rpc: string, request: object) => client[rpc]?.(request), known };
};

providerSuite({
  provider: 'pipeline',
  states: {
    'nothing was submitted': () => enter({}),
    'a run was submitted': async () => {
      const run = await (await platform()).run(projectFiles());
      return enter({ '<run>': run.id });
    },
  },
  close: async () => (await platform()).stop(),
});
