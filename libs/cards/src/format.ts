/** `value` with at most six significant digits, thousands separated; `–` when it is missing or not a number. */
export const formatNumber = (value: number | null | undefined, digits = 6): string => {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e12) return minus(groups.format(value));
  if (size >= 1e9 || size < 1e-4) return scientific(value, digits);
  return minus(new Intl.NumberFormat('en-US', { maximumSignificantDigits: digits }).format(value));
};

const groups = new Intl.NumberFormat('en-US');
const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** `5.16 × 10¹⁴` */
const scientific = (value: number, digits: number): string => {
  const [mantissa = '', exponent = ''] = value.toExponential(Math.max(0, digits - 3)).split('e');
  const raised = exponent
    .replace('+', '')
    .replace('-', '⁻')
    .replace(/\d/g, (digit) => superscripts[Number(digit)] ?? '');
  return minus(`${mantissa} × 10${raised}`);
};

const minus = (text: string): string => text.replaceAll('-', '−');

/** `0.1234` → `12.3 %`. */
export const formatPercent = (share: number): string => `${formatNumber(share * 100, 3)} %`;

/** Milliseconds since the epoch as `2013-01-31` or `2013-01-31 05:00`, UTC; `–` when no date can be that. */
export const formatTime = (milliseconds: number): string => {
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) return '–';
  const text = date.toISOString();
  return milliseconds % 86_400_000 === 0 ? text.slice(0, -14) : text.slice(0, -8).replace('T', ' ');
};

/** `4.2 MB` */
export const formatBytes = (bytes: number): string => {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${formatNumber(bytes / 1000 ** power, 3)} ${units[power]}`;
};

/** The beginning of a digest that is enough to tell it apart: `sha256:1f3a5c7e9b0d`. */
export const shortDigest = (digest: string): string => {
  const [algorithm, hex] = digest.split(':');
  return hex === undefined ? digest.slice(0, 12) : `${algorithm}:${hex.slice(0, 12)}`;
};

/** Cuts a text that would break the layout. */
export const clip = (text: string, length: number): string => {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
};
