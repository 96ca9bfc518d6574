import { parseDigest } from '@millrace/blobs';
import type {
  GetLineageResponse,
  LineageDirection,
  ModelImport as ModelImportMessage,
  Model as ModelMessage,
  RegistryServiceService,
} from '@millrace/contracts/registry';
import { Invalid } from '@millrace/errors';
import { pageQuery, type RpcHandlers } from '@millrace/service-kit';
import { approveModelVersion } from '../application/approve-model-version.ts';
import { archiveModelVersion } from '../application/archive-model-version.ts';
import type { RegistryContext } from '../application/context.ts';
import type { Lineage } from '../application/get-lineage.ts';
import { getLineage } from '../application/get-lineage.ts';
import { listAliasHistory } from '../application/list-alias-history.ts';
import { listAuditRecords } from '../application/list-audit-records.ts';
import {
  latestVersionNumber,
  loadDefaultPolicy,
  loadModel,
  loadPolicy,
  loadVersion,
} from '../application/load.ts';
import { aliasMoveMessage, modelImportMessage, policyMessage } from '../application/messages.ts';
import type { ModelImports } from '../application/model-imports.ts';
import { listReactions, setReaction } from '../application/reactions.ts';
import { rejectModelVersion } from '../application/reject-model-version.ts';
import { resolveAlias } from '../application/resolve-alias.ts';
import { setAlias } from '../application/set-alias.ts';
import { setPolicy } from '../application/set-policy.ts';
import { verifyAudit } from '../application/verify-audit.ts';
import { viewModelVersion } from '../application/view-model-version.ts';
import { parseActor } from '../domain/actor.ts';
import { kindOf } from '../domain/lineage/graph.ts';
import type { Direction } from '../domain/lineage/walk.ts';
import type { Model } from '../domain/model.ts';
import { type ModelImport, parseImportCommand } from '../domain/model-import.ts';
import { parseAlias } from '../domain/names.ts';

/** The contract's methods over the use cases: reads fields, names the wrong ones, writes answers. */
export const grpcHandlers = (
  context: RegistryContext,
  imports: ModelImports,
): RpcHandlers<typeof RegistryServiceService> => {
  const { collections } = context;

  const modelMessage = async ({ name, aliases, createdAt }: Model): Promise<ModelMessage> => ({
    name,
    aliases: { ...aliases },
    createdAt,
    latestVersion: await latestVersionNumber(context, name),
  });

  const importMessage = async (document: ModelImport): Promise<ModelImportMessage> => {
    const { version } = document;
    const stored = version === undefined ? undefined : await collections.versions.get(version);
    if (stored === undefined) return modelImportMessage(document, undefined);
    const model = await loadModel(context, document.command.model);
    const policy = await loadPolicy(context, model);
    const view = viewModelVersion(stored.document, model, policy, context.now());
    return modelImportMessage(document, view);
  };

  return {
    listModels: async ({ page }) => {
      const found = await collections.models.find(pageQuery(page));
      const models = await Promise.all(found.items.map(({ document }) => modelMessage(document)));
      return { models, page: pageInfo(found.nextCursor) };
    },
    getModel: async ({ name }) => ({ model: await modelMessage(await loadModel(context, name)) }),
    listModelVersions: async (request) => {
      const model = await loadModel(context, request.model);
      const policy = await loadPolicy(context, model);
      const found = await collections.versions.find({
        ...pageQuery(request.page),
        filter: { field: 'model', op: 'eq', value: model.name },
        sort: { field: 'number', direction: 'desc' },
      });
      const at = context.now();
      const modelVersions = found.items.map(({ document }) => viewModelVersion(document, model, policy, at));
      return { modelVersions, page: pageInfo(found.nextCursor) };
    },
    getModelVersion: async (request) => {
      const version = await loadVersion(context, request.model, request.version);
      const model = await loadModel(context, request.model);
      const policy = await loadPolicy(context, model);
      return { modelVersion: viewModelVersion(version, model, policy, context.now()) };
    },
    approveModelVersion: async ({ model, version, actor, breakGlass }) => ({
      modelVersion: await approveModelVersion(context, {
        model,
        version,
        actor: parseActor(actor),
        breakGlass,
      }),
    }),
    rejectModelVersion: async ({ model, version, actor }) => ({
      modelVersion: await rejectModelVersion(context, { model, version, actor: parseActor(actor) }),
    }),
    archiveModelVersion: async ({ model, version, actor }) => ({
      modelVersion: await archiveModelVersion(context, { model, version, actor: parseActor(actor) }),
    }),
    importModel: async ({ allowNonValidatedModel, actor, ...command }) => ({
      modelImport: await importMessage(
        await imports.begin(
          parseImportCommand({
            ...command,
            packageDigest: parseDigest(command.packageDigest, 'packageDigest'),
            allowNonValidated: allowNonValidatedModel,
            actor: parseActor(actor),
          }),
        ),
      ),
    }),
    getModelImport: async ({ id }) => ({ modelImport: await importMessage(await imports.get(id)) }),
    setAlias: async ({ actor, ...command }) => ({
      move: aliasMoveMessage(await setAlias(context, { ...command, actor: parseActor(actor) })),
    }),
    resolveAlias: async ({ model, alias, at }) => {
      const query = at === undefined ? { model, alias } : { model, alias, at };
      const resolved = await resolveAlias(context, query);
      return { modelVersion: resolved.modelVersion, move: aliasMoveMessage(resolved.move) };
    },
    listAliasHistory: async ({ model, alias, page }) => {
      if (alias !== '') parseAlias(alias);
      const { moves, nextCursor } = await listAliasHistory(context, { model, alias, ...pageQuery(page) });
      return { moves: moves.map(aliasMoveMessage), page: pageInfo(nextCursor) };
    },
    getPolicy: async ({ model }) => {
      const policy =
        model === ''
          ? await loadDefaultPolicy(context)
          : await loadPolicy(context, await loadModel(context, model));
      return { policy: policyMessage(policy) };
    },
    setPolicy: async ({ model, policy, actor }) => ({
      policy: policyMessage(await setPolicy(context, { model, policy, actor: parseActor(actor) })),
    }),
    getLineage: async ({ node, direction, maxDepth }) =>
      lineageMessage(await getLineage(context, { node, directions: directionsOf(direction), maxDepth })),
    listAuditRecords: async ({ entity, after, page }) => {
      const { records, nextCursor } = await listAuditRecords(context, { entity, after, ...pageQuery(page) });
      return { records: [...records], page: pageInfo(nextCursor) };
    },
    verifyAudit: async ({ expectedHead, expectedNumber }) => {
      const noted =
        expectedHead === '' && expectedNumber === 0
          ? undefined
          : { hash: expectedHead, number: expectedNumber };
      const verdict = await verifyAudit(context, noted);
      return {
        intact: verdict.intact,
        records: verdict.head.number,
        head: verdict.head.hash,
        brokenAt: verdict.intact ? 0 : verdict.brokenAt,
        reason: verdict.intact ? '' : verdict.reason,
      };
    },
    listReactions: async () => ({ reactions: await listReactions(context) }),
    setReaction: async ({ name, enabled, actor }) => ({
      reaction: await setReaction(context, { name, enabled, actor: parseActor(actor) }),
    }),
  };
};

const pageInfo = (nextCursor: string | undefined) => ({ nextCursor: nextCursor ?? '' });

const directionsOf = (direction: LineageDirection): readonly Direction[] => {
  switch (direction) {
    case 'LINEAGE_DIRECTION_UPSTREAM':
      return ['upstream'];
    case 'LINEAGE_DIRECTION_DOWNSTREAM':
      return ['downstream'];
    case 'LINEAGE_DIRECTION_UNSPECIFIED':
    case 'LINEAGE_DIRECTION_BOTH':
      return ['upstream', 'downstream'];
    case 'UNRECOGNIZED':
      throw Invalid.field('direction', 'is not a direction');
  }
};

const lineageMessage = ({ nodes, edges, truncated }: Lineage): GetLineageResponse => ({
  nodes: nodes.map(({ id, attributes }) => ({ id, kind: kindOf(id), attributes: { ...attributes } })),
  edges: edges.map((edge) => ({ ...edge })),
  truncated,
});
