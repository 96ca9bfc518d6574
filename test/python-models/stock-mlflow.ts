import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type PythonEnvironment, PythonEnvironments } from '@millrace/python-runtime';

const script = join(import.meta.dirname, 'stock_models.py');

/** An answer of `mlflow.pyfunc` per row: a number, a label, or numbers. */
export type StockPredictions = readonly (number | string | readonly number[])[];

/** A model that stock MLflow saved. */
export interface StockModel {
  readonly directory: string;
  /** A file with rows that it was not fitted on, as the body of a request. */
  readonly request: string;
  readonly predictions: StockPredictions;
}

/** Stock MLflow in an environment of its own, with nothing of Millrace on its path. */
export class StockMlflow {
  /** Where it saves, and what else a test wants to keep. */
  readonly root: string;
  readonly #environment: PythonEnvironment;

  private constructor(root: string, environment: PythonEnvironment) {
    this.root = root;
    this.#environment = environment;
  }

  /** With these packages, MLflow among them. */
  static async open(requirements: readonly string[]): Promise<StockMlflow> {
    const environment = await PythonEnvironments.open().ensure({ requirements, needs: [] });
    const root = await mkdtemp(join(tmpdir(), 'millrace-stock-mlflow-'));
    await mkdir(join(root, 'work'));
    return new StockMlflow(root, environment);
  }

  /**
   * Saves models of `stock_models.py`.
   *
   * @param requirements that they say they need; default: what MLflow finds out
   */
  async save(names: readonly string[], requirements: readonly string[] = []): Promise<void> {
    await this.#run(['save', this.root, ...names], { REQUIREMENTS: requirements.join('\n') });
  }

  async model(name: string): Promise<StockModel> {
    const at = (file: string) => join(this.root, name, file);
    return {
      directory: at('model'),
      request: at('request.json'),
      predictions: JSON.parse(await readFile(at('predictions.json'), 'utf8')) as StockPredictions,
    };
  }

  /** What `mlflow.pyfunc` predicts with a model directory. */
  async predict(directory: string, request: string): Promise<StockPredictions> {
    const output = await this.#run(['predict', directory, request], {});
    // Frameworks greet before they work.
    return JSON.parse(output.trim().split('\n').at(-1) ?? '') as StockPredictions;
  }

  close(): Promise<void> {
    return rm(this.root, { recursive: true, force: true });
  }

  async #run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
    const { stdout } = await promisify(execFile)(this.#environment.python, [script, ...args], {
      cwd: join(this.root, 'work'),
      maxBuffer: 64 * 1024 * 1024,
      env: {
        HOME: this.root,
        PATH: process.env.PATH,
        MLFLOW_TRACKING_URI: `sqlite:///${join(this.root, 'work', 'mlflow.db')}`,
        PYTHONPYCACHEPREFIX: join(this.root, 'pycache'),
        ...env,
      },
    });
    return stdout;
  }
}
