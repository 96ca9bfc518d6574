import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { flightsDirectory } from './flights-project.ts';

export type FlightFeatures = Readonly<Record<string, string | number | null>>;

/** Flights of a CSV file below `examples/flights`, as an endpoint takes them: without the target. */
export const flightsOf = async (file: string): Promise<readonly FlightFeatures[]> => {
  const [header = '', ...lines] = (await readFile(join(flightsDirectory, file), 'utf8')).trim().split('\n');
  const names = header.split(',');
  return lines.map((line) => {
    const cells = line.split(',').map((cell, i) => [names[i] ?? '', cellValue(cell)] as const);
    return Object.fromEntries(cells.filter(([name]) => name !== 'arr_delay'));
  });
};

const cellValue = (cell: string): string | number | null => {
  if (cell === '') return null;
  return /^-?\d+(\.\d+)?$/.test(cell) ? Number(cell) : cell;
};
