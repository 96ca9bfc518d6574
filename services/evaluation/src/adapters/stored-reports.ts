import { evaluationEvents, Report, Verdict } from '@millrace/contracts/evaluation';
import { asMillraceError, ErrorCode } from '@millrace/errors';
import { eventMessage, retention } from '@millrace/service-kit';
import type { Collection, DocumentStore, Filter, Json } from '@millrace/store';
import type { ReportRecord, Reports, StoredBlob } from '../application/ports.ts';

interface ReportDocument {
  /** Proto JSON. */
  readonly report: Json;
  readonly card: StoredBlob;
  readonly details: StoredBlob;
  readonly warnings: readonly string[];
  readonly modelName: string;
  readonly modelDigest: string;
  readonly dataDigest: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

/** Reports in the service's store. Nothing here changes one that is stored. */
export class StoredReports implements Reports {
  readonly #reports: Collection<ReportDocument>;

  constructor(store: DocumentStore) {
    this.#reports = store.collection({
      name: 'reports',
      indexes: [
        { path: 'modelName', type: 'text' },
        { path: 'modelDigest', type: 'text' },
        { path: 'dataDigest', type: 'text' },
        { path: 'createdAt', type: 'text' },
      ],
    });
  }

  async get(id: string): Promise<ReportRecord | undefined> {
    const stored = await this.#reports.get(id);
    return stored === undefined ? undefined : recordOf(stored.document);
  }

  async add(record: ReportRecord): Promise<ReportRecord> {
    const { report } = record;
    const failed = report.verdict === Verdict.VERDICT_REJECTED;
    const event = failed
      ? eventMessage(evaluationEvents.reportFailed, report.id, { report })
      : eventMessage(evaluationEvents.reportPassed, report.id, { report });
    try {
      await this.#reports.insert(report.id, documentOf(record), [event]);
      return record;
    } catch (thrown) {
      // Another worker that evaluated the same attempt was first; its report is the one that was published.
      if (asMillraceError(thrown).code !== ErrorCode.conflict) throw thrown;
      return (await this.get(report.id)) ?? record;
    }
  }

  async list(modelName: string, page: { readonly limit: number; readonly cursor?: string }) {
    const { items, nextCursor } = await this.#reports.find({
      ...page,
      ...(modelName === '' ? {} : { filter: equals('modelName', modelName) }),
      sort: newestFirst,
    });
    const reports = items.map(({ document }) => recordOf(document).report);
    return nextCursor === undefined ? { reports } : { reports, nextCursor };
  }

  async newest(modelDigest: string, dataDigest: string): Promise<Report | undefined> {
    const model = equals('modelDigest', modelDigest);
    const filter = dataDigest === '' ? model : { and: [model, equals('dataDigest', dataDigest)] };
    const { items } = await this.#reports.find({ filter, sort: newestFirst, limit: 1 });
    return items[0] === undefined ? undefined : recordOf(items[0].document).report;
  }
}

/** Reports are kept as long as runs, and longer while a run or model version refers to them. */
export const reportRetention = retention<ReportDocument>({
  collection: 'reports',
  ended: ({ createdAt }) => ({ period: 'runs', at: Date.parse(createdAt) }),
});

const newestFirst = { field: 'createdAt', direction: 'desc' } as const;

const equals = (field: string, value: string): Filter => ({ field, op: 'eq', value });

const documentOf = ({ report, card, details, warnings }: ReportRecord): ReportDocument => ({
  report: Report.toJSON(report) as Json,
  card,
  details,
  warnings,
  modelName: report.modelName,
  modelDigest: report.modelDigest,
  dataDigest: report.dataDigest,
  createdAt: report.createdAt ?? '',
});

const recordOf = ({ report, card, details, warnings }: ReportDocument): ReportRecord => ({
  report: Report.fromJSON(report),
  card,
  details,
  warnings,
});
