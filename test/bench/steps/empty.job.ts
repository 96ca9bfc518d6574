import type { JobMain } from '@millrace/jobs';

/** A job that does nothing. */
const main: JobMain<null, null> = async () => null;
export default main;
