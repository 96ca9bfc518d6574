import { readJsonFile } from '../estimators/files.ts';
import type { PackageFiles } from '../package/manifest.ts';
import { type Mlmodel, nativeFlavors } from '../package/mlmodel.ts';
import type { Signature } from '../package/signature.ts';

/** How the predictions of an ONNX form compare with the original's on rows that it was not trained on. */
export interface OnnxParity {
  readonly added: boolean;
  /** Largest difference that is put up with, relative to the size of the numbers where they are above 1. */
  readonly tolerance?: number;
  readonly worst_difference?: number;
  readonly rows?: number;
  /** Why there is no ONNX form. */
  readonly reason?: string;
}

export const parityFile = 'onnx_parity.json';

/**
 * The ONNX file that answers for a package: where it is the model itself, or where its predictions were found equal to
 * those of the original.
 */
export const onnxToServe = (
  files: PackageFiles,
  mlmodel: Mlmodel,
  signature: Signature,
): string | undefined => {
  const path = mlmodel.flavors.onnx?.data;
  if (typeof path !== 'string') return undefined;
  if (nativeFlavors(mlmodel).every((name) => name === 'onnx')) {
    return takesAllInputs(signature) ? path : undefined;
  }
  const parity = files.has(parityFile) ? readJsonFile<OnnxParity>(files, parityFile) : { added: false };
  return answersAsOnnx(parity, signature) ? path : undefined;
};

/** Whether the ONNX form answers in place of the model that it was made of. */
export const answersAsOnnx = (
  { added, tolerance, worst_difference: worst }: OnnxParity,
  signature: Signature,
): boolean =>
  added && tolerance !== undefined && worst !== undefined && worst <= tolerance && takesAllInputs(signature);

/** A model that may be given missing text or whole numbers, which ONNX does not have, is answered by the original. */
const takesAllInputs = ({ inputs }: Signature): boolean =>
  inputs.every(({ type, nullable }) => !nullable || type === 'number');
