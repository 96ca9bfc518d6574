import type { Prediction } from '@millrace/contracts/monitoring';
import { Invalid, NotFound } from '@millrace/errors';
import { decodeTime } from 'ulid';
import { windowId } from '../domain/window-report.ts';
import type { Collections, LabelRetention } from './ports.ts';

const grammar = /^pred_[0-9a-hjkmnp-tv-z]{26}$/;

const dayMs = 24 * 3_600_000;

/** Why a prediction is not found: its id tells when it was made. */
const absent = (id: string, retention: LabelRetention): NotFound => {
  const made = new Date(decodeTime(id.slice('pred_'.length).toUpperCase())).toISOString();
  return new NotFound(`prediction ${id} of ${made} is not kept, or not any more`, {
    hint: `Kept are answers of monitored endpoints, the latest ${retention.predictions} of each for ${retention.ageMs / dayMs} days; one of the last seconds may still be on its way.`,
  });
};

/** Where a kept prediction came from. @throws Invalid on what is no id, NotFound when it is not kept */
export const getPrediction = async (
  { predictions }: Collections,
  retention: LabelRetention,
  id: string,
): Promise<Prediction> => {
  if (!grammar.test(id)) throw Invalid.field('id', 'must be the id of a prediction, pred_…');
  const filter = { field: ['rows', id] as const, op: 'exists' as const, value: true };
  const { items } = await predictions.find({ filter, limit: 1 });
  const found = items[0]?.document;
  if (found === undefined) throw absent(id, retention);
  const origin = found.origins?.[found.rows[id] ?? -1];
  return {
    id,
    endpoint: found.endpoint,
    revision: origin?.revision ?? 0,
    time: origin?.time || undefined,
    traceId: origin?.traceId ?? '',
    windowId: windowId(found),
  };
};
