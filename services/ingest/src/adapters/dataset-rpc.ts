import { DatasetServiceService } from '@millrace/contracts/ingest';
import { pageQuery, type RpcBinding, requireText, rpc } from '@millrace/service-kit';
import type { DatasetStore } from '../application/dataset-store.ts';
import { datasetVersionMessage } from '../domain/dataset-version.ts';

/** Answers `millrace.ingest.v1.DatasetService`. */
export const datasetRpc = (datasets: DatasetStore): RpcBinding =>
  rpc(DatasetServiceService, {
    getDatasetVersion: async ({ id }) => ({
      datasetVersion: datasetVersionMessage(await datasets.get(requireText('id', id))),
    }),
    listDatasetVersions: async ({ dataset, page }) => {
      const found = await datasets.listVersions(requireText('dataset', dataset), pageQuery(page));
      return {
        datasetVersions: found.items.map(({ document }) => datasetVersionMessage(document)),
        page: { nextCursor: found.nextCursor ?? '' },
      };
    },
    listDatasets: async ({ page }) => {
      const found = await datasets.listDatasets(pageQuery(page));
      return {
        datasets: found.items.map(({ document }) => document),
        page: { nextCursor: found.nextCursor ?? '' },
      };
    },
  });
