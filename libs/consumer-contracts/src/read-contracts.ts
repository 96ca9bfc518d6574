import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Invalid } from '@millrace/errors';
import { type ConsumerContract, parseContract } from './contract.ts';

/** Where every contract of this repository lies, as `<consumer>.<provider>.yaml`. */
export const contractsDirectory = join(import.meta.dirname, '../../../test/contracts');

/** All contracts, or those with one provider. @throws Invalid when one is malformed or named for another pair */
export const readContracts = (
  provider?: string,
  directory = contractsDirectory,
): readonly ConsumerContract[] =>
  readdirSync(directory)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => {
      const contract = parseContract(readFileSync(join(directory, file), 'utf8'), file);
      if (file === `${contract.consumer}.${contract.provider}.yaml`) return contract;
      throw new Invalid(`${file} holds the contract of ${contract.consumer} with ${contract.provider}`);
    })
    .filter((contract) => provider === undefined || contract.provider === provider);
