/** What the pickles of a package would import and call: see `millrace/models/pickle_scan.py`. */
export interface PickleReport {
  /**
   * `none`: there is no pickle; `clean`: they name nothing but what is known to be harmless; `unknown`: they hold code of
   * their own, or name modules of the model's requirements that nothing is known of; else `dangerous`.
   */
  readonly verdict: 'none' | 'clean' | 'unknown' | 'dangerous';
  readonly files: readonly string[];
  /** `module.name` */
  readonly globals: readonly string[];
  readonly findings: readonly {
    readonly path: string;
    readonly verdict: string;
    readonly message: string;
  }[];
}

/** Where a package keeps it, among Millrace's own files. */
export const pickleReportFile = 'pickle_scan.json';
