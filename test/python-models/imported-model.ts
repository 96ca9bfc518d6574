import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Endpoint } from '@millrace/contracts/deployment';
import { expect } from 'vitest';
import { type CliAnswer, millraceCommand } from '../support/cli.ts';
import type { TestInstallation } from '../support/installation.ts';
import type { StockMlflow, StockPredictions } from './stock-mlflow.ts';

/** How a model of stock MLflow goes through an installation. */
export interface Import {
  /** In `stock_models.py`, and what it is called here. */
  readonly name: string;
  /** Of the command that imports it, beside the usual ones. */
  readonly options?: readonly string[];
  /** Flavors and the verdict on its pickles, as `millrace models show` prints them. */
  readonly shown: RegExp;
  /** The largest difference of a number to stock MLflow's, relative where it is above 1. Labels must be equal. */
  readonly tolerance: number;
}

interface Answer {
  readonly predictions: readonly (number | string)[];
  readonly probabilities?: readonly (readonly number[])[];
}

/** A user who imports, deploys, asks and exports by the command line and HTTP. */
export class ModelUser {
  readonly #millrace: TestInstallation;
  readonly #stock: StockMlflow;

  constructor(millrace: TestInstallation, stock: StockMlflow) {
    this.#millrace = millrace;
    this.#stock = stock;
  }

  /** Runs `millrace …` and expects that it succeeds. */
  async does(...args: readonly string[]): Promise<string> {
    const answer = await this.tries(...args);
    expect(answer, `millrace ${args.join(' ')}: ${answer.stderr}`).toMatchObject({ exitCode: 0 });
    return answer.stdout;
  }

  tries(...args: readonly string[]): Promise<CliAnswer> {
    return millraceCommand(args, { dataDir: this.#millrace.dataDir, cwd: this.#stock.root });
  }

  importsDirectory(directory: string, name: string, ...options: readonly string[]): Promise<CliAnswer> {
    return this.tries('models', 'import', directory, '--name', name, '--allow-non-validated', ...options);
  }

  /**
   * The whole way of a model: imported, seen, approved, deployed, asked over HTTP, exported, and loaded by stock MLflow
   * again. Answers the largest difference of its predictions to stock MLflow's.
   */
  async bringsIn({ name, options = [], shown, tolerance }: Import): Promise<number> {
    const { directory, request, predictions } = await this.#stock.model(name);
    const imported = await this.importsDirectory(directory, name, ...options);
    expect(imported).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`${name}/1 is imported`) });
    expect(await this.does('models', 'show', name)).toMatch(shown);
    await this.does('approve', `${name}/1`, '--break-glass', '--reason', 'compared by hand');
    await this.does('deploy', `${name}/1`, '-e', name, '--strategy', 'direct');
    const worst = distance(predictions, await this.#asks(name, request));
    expect(worst).toBeLessThanOrEqual(tolerance);
    const exported = join(this.#stock.root, 'exported', name);
    await this.does('models', 'export', `${name}/1`, exported);
    // The same files on the same machine: nothing may differ.
    expect(await this.#stock.predict(exported, request)).toEqual(predictions);
    return worst;
  }

  /** Predictions over HTTP: probabilities where stock MLflow would answer with them. */
  async #asks(name: string, request: string): Promise<Answer> {
    const { url } = JSON.parse(await this.does('--json', 'endpoints', 'show', name)).endpoint as Endpoint;
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: await readFile(request),
    });
    const body = await response.json();
    expect({ status: response.status, body }).toMatchObject({ status: 200 });
    return body as Answer;
  }
}

/** The largest difference; not a number where there is a label that differs or an answer is missing. */
const distance = (stock: StockPredictions, { predictions, probabilities = [] }: Answer): number => {
  expect(predictions).toHaveLength(stock.length);
  const differences = stock.flatMap((wanted, row) => {
    if (typeof wanted === 'string') return [wanted === predictions[row] ? 0 : Number.NaN];
    if (typeof wanted === 'number') return [differenceOf(wanted, Number(predictions[row]))];
    return wanted.map((value, position) => differenceOf(value, probabilities[row]?.[position] ?? Number.NaN));
  });
  return Math.max(...differences);
};

const differenceOf = (wanted: number, given: number): number =>
  Math.abs(wanted - given) / Math.max(1, Math.abs(wanted));
