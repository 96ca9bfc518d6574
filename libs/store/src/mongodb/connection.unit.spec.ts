import { describe, expect, it } from 'vitest';
import { AccessFiles } from './access.ts';
import { clientOf } from './connection.ts';

const weak =
  'mongodb://db/?w=1&journal=false&readConcernLevel=local&readPreference=nearest&retryWrites=false';

describe('a client of MongoDB', () => {
  it.each(['majority', 'snapshot'] as const)(
    'reads and writes as the store needs it (%s), whatever the address says',
    async (level) => {
      const access = await AccessFiles.open({}, { url: weak, database: 'millrace_training' });
      const client = clientOf(weak, access, level);
      expect(client.options).toMatchObject({
        readConcern: { level },
        writeConcern: { w: 'majority', journal: true, wtimeoutMS: 10_000 },
        readPreference: { mode: 'primary' },
        retryWrites: true,
      });
      await client.close();
      access.close();
    },
  );
});
