import { type BlobStore, parseDigest } from '@millrace/blobs';
import { crashPoint } from '@millrace/crash-points';
import { FailedPrecondition, Internal, messageOf } from '@millrace/errors';
import {
  loadPredictor,
  type Prediction,
  type Predictor,
  type PredictorOptions,
  readPackage,
} from '@millrace/modeling';

/** Bytes of one file of a model package. */
const maxFileBytes = 512 * 1024 * 1024;

/** Loads model packages once per digest, however many revisions serve them, and frees the unused. */
export class ModelLoader {
  readonly #blobs: BlobStore;
  readonly #options: PredictorOptions;
  readonly #loaded = new Map<string, Promise<Predictor>>();

  /** @param options limits of the code that models bring along, and where their environments are built */
  constructor(blobs: BlobStore, options: PredictorOptions = {}) {
    this.#blobs = blobs;
    this.#options = options;
  }

  /**
   * The predictor of a package that passed its smoke test: the package's own input example is predicted before
   * anybody is served.
   *
   * @param onProgress takes what is done before: the environment of a Python model may have to be built
   * @throws FailedPrecondition when the model answers its own example wrongly or not at all
   */
  load(digest: string, onProgress?: (message: string) => void): Promise<Predictor> {
    const known = this.#loaded.get(digest);
    if (known !== undefined) return known;
    const loading = this.#load(digest, onProgress);
    this.#loaded.set(digest, loading);
    loading.catch(() => this.#loaded.delete(digest));
    return loading;
  }

  /** Frees every model but these. */
  async keepOnly(digests: ReadonlySet<string>): Promise<void> {
    for (const [digest, loading] of this.#loaded) {
      if (digests.has(digest)) continue;
      this.#loaded.delete(digest);
      await loading.then(
        (predictor) => predictor.close(),
        () => {},
      );
    }
  }

  close(): Promise<void> {
    return this.keepOnly(new Set());
  }

  async #load(digest: string, onProgress?: (message: string) => void): Promise<Predictor> {
    const read = (blob: string) => this.#blobs.read(parseDigest(blob), maxFileBytes);
    const files = await readPackage(await read(digest), read);
    crashPoint('mid-model-load');
    const predictor = await loadPredictor(files, {
      ...this.#options,
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    try {
      await smokeTest(predictor);
      return predictor;
    } catch (thrown) {
      await predictor.close();
      throw new FailedPrecondition(`the model failed its smoke test: ${messageOf(thrown)}`, {
        cause: thrown,
      });
    }
  }
}

const smokeTest = async (predictor: Predictor): Promise<void> => {
  if (predictor.inputExample.length === 0) throw new Internal('the package has no input example');
  checkAnswer(await predictor.predict(predictor.inputExample), predictor.inputExample.length);
};

/** Throws `Internal` unless the prediction has one finite answer per row. */
export const checkAnswer = (prediction: Prediction, rows: number): void => {
  const answers = prediction.kind === 'regression' ? prediction.values : prediction.labels;
  if (answers.length !== rows)
    throw new Internal(`the model gave ${answers.length} answers for ${rows} rows`);
  const numbers =
    prediction.kind === 'regression' ? prediction.values : (prediction.probabilities ?? []).flat();
  if (!numbers.every(Number.isFinite))
    throw new Internal('the model answered something that is no finite number');
};
