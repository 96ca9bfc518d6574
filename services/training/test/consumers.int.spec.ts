import { providerSuite } from '@millrace/consumer-contracts/conformance';
import { Platform } from './platform.ts';

let opened: Promise<Platform> | undefined;
const platform = (): Promise<Platform> => {
  opened ??= Platform.open();
  return opened;
};

providerSuite({
  provider: 'training',
  states: {
    'nothing was trained': async () => {
      const client = (await platform()).tracking as unknown as Record<
        string,
        (request: object) => Promise<unknown>
      >;
      return { call: async (rpc, request) => client[rpc]?.(request) };
    },
  },
  close: async () => (await platform()).close(),
});
