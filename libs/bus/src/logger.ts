type Log = (fields: object, message: string) => void;

/** What the bus logs to; a pino logger fits. */
export interface BusLogger {
  readonly debug: Log;
  readonly info: Log;
  readonly warn: Log;
  readonly error: Log;
}

const nothing: Log = () => {};

export const silentLogger: BusLogger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
