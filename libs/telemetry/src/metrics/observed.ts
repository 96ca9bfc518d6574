import type { CounterName, GaugeName, LabelsOf, MetricName } from './metric-table.ts';
import { familyHead, type Labels, labelsText } from './text-format.ts';

/** A gauge's value now, or a counter's that is counted elsewhere. */
export interface Measurement<Name extends MetricName> {
  readonly value: number;
  readonly labels: LabelsOf<Name>;
}

type Observed = GaugeName | CounterName;

interface AnyMeasurement {
  readonly value: number;
  readonly labels: Labels;
}

type Reader = () => readonly AnyMeasurement[] | Promise<readonly AnyMeasurement[]>;

/** What a scrape waits for a reader, milliseconds: a dependency that hangs must not hide all the rest. */
const patienceMs = 2_000;

/** Who is asked for the values of a metric when they are wanted. */
const readers = new Map<Observed, Set<Reader>>();

/**
 * Has `read` asked for the values of a metric each time that metrics are wanted: what it does not tell is shown no
 * more. One that fails or takes longer than two seconds tells nothing that time. Returns how to stop it.
 */
export const observeMetric = <Name extends Observed>(
  name: Name,
  read: () => readonly Measurement<Name>[] | Promise<readonly Measurement<Name>[]>,
): (() => void) => {
  const reader: Reader = () => read();
  readers.set(name, (readers.get(name) ?? new Set<Reader>()).add(reader));
  return () => {
    readers.get(name)?.delete(reader);
  };
};

/**
 * The values of all observed metrics in the Prometheus text format. They do not go through OpenTelemetry's meters: those
 * show a series for ever that was observed once, and so the share of a revision that serves no more.
 */
export const observedText = async (): Promise<string> =>
  (await Promise.all([...readers].map(([name, known]) => familyText(name, known)))).join('');

const familyText = async (name: Observed, known: ReadonlySet<Reader>): Promise<string> => {
  const measured = (await Promise.all([...known].map(readSoon))).flat();
  // A series stands once, whoever tells of it.
  const series = new Map<string, number>();
  for (const { value, labels } of measured) {
    if (Number.isFinite(value)) series.set(`${name}${labelsText(labels)}`, value);
  }
  if (series.size === 0) return '';
  const lines = [...series].map(([labelled, value]) => `${labelled} ${value}\n`);
  return `${familyHead(name)}${lines.join('')}`;
};

const readSoon = async (read: Reader): Promise<readonly AnyMeasurement[]> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly AnyMeasurement[]>((resolve) => {
    timer = setTimeout(() => resolve([]), patienceMs);
  });
  try {
    return await Promise.race([(async () => read())(), late]);
  } catch {
    // The dependency's own metrics and `/health/ready` tell of it.
    return [];
  } finally {
    clearTimeout(timer);
  }
};
