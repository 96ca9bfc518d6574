/** What a value says of blobs and documents. */
export interface Mentions {
  /** Digests of blobs, and texts that have the form of a document's id. */
  readonly references: ReadonlySet<string>;
  /** Digests that keep a blob where there is one, but need not be of a blob. */
  readonly hints: ReadonlySet<string>;
}

const digestPattern = /sha256:[0-9a-f]{64}(?![0-9a-f])/g;
/** `run_01k…`, `flights@0123456789ab`, 32 hexadecimal digits, `flights/3`, `run_01k….train.1`. */
const idPattern = /^\S{0,200}(_[0-9a-hjkmnp-tv-z]{26}(\.[a-z_]+\.\d+)?|@[0-9a-f]{12}|\/\d+)$|^[0-9a-f]{32}$/;
/** Digests below these names are of what the user has, or parts of fingerprints. */
const hintNames = new Set([
  'dirtyDigest',
  'codeDirtyDigest',
  'lockDigest',
  'sources',
  'components',
  'fingerprint',
  'fingerprints',
]);

/**
 * Finds every digest and id in a document, whatever its form: a reference that somebody adds to a document one day is
 * then found without anybody thinking of it here.
 */
export const mentionsIn = (value: unknown): Mentions => {
  const references = new Set<string>();
  const hints = new Set<string>();
  const look = (part: unknown, isHint: boolean): void => {
    if (typeof part === 'string') {
      for (const [digest] of part.matchAll(digestPattern)) (isHint ? hints : references).add(digest);
      if (!isHint && idPattern.test(part)) references.add(part);
    } else if (Array.isArray(part)) {
      for (const item of part) look(item, isHint);
    } else if (typeof part === 'object' && part !== null) {
      for (const [name, item] of Object.entries(part)) look(item, isHint || hintNames.has(name));
    }
  };
  look(value, false);
  for (const digest of references) hints.delete(digest);
  return { references, hints };
};
