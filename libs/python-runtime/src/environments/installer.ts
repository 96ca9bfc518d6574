import type { CommandOptions } from './command.ts';
import type { Interpreter } from './interpreter.ts';

/** What goes into a resolution, as lines of requirements files. */
export interface ResolveRequest {
  readonly interpreter: Interpreter;
  readonly requirements: readonly string[];
  readonly constraints: readonly string[];
  /** Empty directory to work in. */
  readonly directory: string;
}

export interface BuildRequest {
  readonly interpreter: Interpreter;
  /** Pinned requirements, complete. */
  readonly lock: string;
  /** Options of the project's requirements file that say where packages come from. */
  readonly options: readonly string[];
  /** Directory that becomes the environment; it does not exist yet. */
  readonly target: string;
  /** Empty directory to work in. */
  readonly directory: string;
}

export interface WheelRequest {
  readonly interpreter: Interpreter;
  /** Directory or source archive of a package. */
  readonly source: string;
  /** Options of the project's requirements file that say where packages come from. */
  readonly options: readonly string[];
  /** Directory that the wheel comes into; it does not exist yet. */
  readonly target: string;
  /** Directory to work in. */
  readonly directory: string;
}

/** Why requirements cannot be met, in the words of the tool, without its decoration. */
export interface Refusal {
  readonly reason: string;
}

/** A tool that resolves requirements and installs them. */
export interface Installer {
  readonly name: 'uv' | 'pip';
  /** Path of uv, which also finds interpreters. */
  readonly uv?: string;
  /** The pinned packages, one line each; or why there are none. Throws `Unavailable` when the index is out of reach. */
  resolve(request: ResolveRequest, options: CommandOptions): Promise<{ readonly lock: string } | Refusal>;
  /** Makes the environment; `Refusal` when a package cannot be built or installed. */
  build(request: BuildRequest, options: CommandOptions): Promise<Refusal | undefined>;
  /** Makes a wheel; `Refusal` when that does not work. */
  buildWheel(request: WheelRequest, options: CommandOptions): Promise<Refusal | undefined>;
}

/** Those of the options that say where packages come from, as arguments. */
export const indexArguments = (options: readonly string[]): string[] =>
  options.flatMap((line) => {
    const [, name, value] =
      /^(-i|--index-url|--extra-index-url|-f|--find-links|--no-index)(?:[\s=]+(\S+))?$/.exec(line) ?? [];
    if (name === undefined) return [];
    return value === undefined ? [name] : [name, value];
  });
