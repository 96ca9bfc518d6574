import type { RegistryServiceService } from '@millrace/contracts/registry';
import { asMillraceError, ErrorCode } from '@millrace/errors';
import type { RpcClient } from '@millrace/service-kit';
import type { FindChampion } from '../application/ports.ts';

/** The alias whose model serves. */
export const championAlias = 'production';

/** Asks the registry what `production` points to. An unknown model or an alias never set is no champion. */
export const registryChampion =
  (registry: Pick<RpcClient<RegistryServiceService>, 'resolveAlias'>): FindChampion =>
  async (model, options) => {
    try {
      const { modelVersion } = await registry.resolveAlias(
        { model, alias: championAlias, at: undefined },
        options,
      );
      if (modelVersion === undefined) return undefined;
      return { reference: `${modelVersion.model}/${modelVersion.version}`, digest: modelVersion.digest };
    } catch (thrown) {
      const error = asMillraceError(thrown);
      if (error.code === ErrorCode.notFound) return undefined;
      throw error;
    }
  };
