/** What a job's entry module exports as default. It runs in a child process, one job at a time. */
export type JobMain<Input, Output> = (input: Input, context: JobContext) => Promise<Output>;

/** A job's way to the outside. Inputs, outputs, questions and answers are structured clones. */
export interface JobContext {
  /** `fraction` 0 to 1, or negative when unknown. */
  progress(fraction: number, message: string): void;
  /** Names what the job does from now on: `fit of steps/train.ts`. Part of the error when the process just dies. */
  activity(what: string): void;
  /** Asks the parent (`onQuestion`) and waits for its answer. */
  ask(question: unknown): Promise<unknown>;
  /** Runs `work` in a span that the parent adds to its trace. */
  span<T>(name: string, work: () => Promise<T>, attributes?: SpanAttributes): Promise<T>;
}

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;
