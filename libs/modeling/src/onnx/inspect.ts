import { posix } from 'node:path';
import { Invalid } from '@millrace/errors';
import type { PackageFiles } from '../package/manifest.ts';
import { fieldsOf, integerOf, integersOf, messageOf, textOf } from './protobuf.ts';

/** A graph's input or output. */
export interface OnnxValue {
  readonly name: string;
  /** `TensorProto.DataType`; undefined for what is no tensor. */
  readonly elementType: number | undefined;
  /** A number, or undefined where the size is open. Undefined as a whole when the model says nothing. */
  readonly shape: readonly (number | undefined)[] | undefined;
}

/** Where probabilities become a list of maps, which a caller cannot read as a tensor. */
export interface ZipMap {
  readonly input: string;
  readonly output: string;
  readonly classes: readonly string[];
}

/** What an ONNX file says of itself. */
export interface OnnxDescription {
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly zipMaps: readonly ZipMap[];
  /** Domain (empty: ONNX's own) → version. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Paths in the package of files that hold tensors. */
  readonly externalFiles: readonly string[];
}

/** Domains of operators that the runtime brings along. */
const knownDomains = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft']);
const mostNodes = 1_000_000;
const deepestGraph = 32;
const externalLocation = 1;

interface Found {
  readonly values: { inputs: OnnxValue[]; outputs: OnnxValue[] };
  readonly initializers: Set<string>;
  readonly opsets: Map<string, number>;
  readonly functionDomains: Set<string>;
  readonly usedDomains: Set<string>;
  readonly zipMaps: ZipMap[];
  readonly externalFiles: Set<string>;
  nodes: number;
}

/**
 * Reads an ONNX file without running anything of it, and checks what a runtime would only find out by doing: that
 * tensors kept outside the file lie in the package and in their files, and that operators come from known domains.
 *
 * @param path of the file in the package
 * @throws Invalid naming what is wrong
 */
export const inspectOnnx = (files: PackageFiles, path: string): OnnxDescription => {
  const bytes = files.get(path);
  if (bytes === undefined) throw Invalid.field(path, 'the model package lacks this file');
  const found: Found = {
    values: { inputs: [], outputs: [] },
    initializers: new Set(),
    opsets: new Map(),
    functionDomains: new Set(),
    usedDomains: new Set(),
    zipMaps: [],
    externalFiles: new Set(),
    nodes: 0,
  };
  const reader = new OnnxReader(found, files, path);
  reader.model(bytes);
  checkDomains(found, path);
  if (found.values.outputs.length === 0) throw Invalid.field(path, 'is no ONNX model: it has no outputs');
  return {
    inputs: found.values.inputs.filter(({ name }) => !found.initializers.has(name)),
    outputs: found.values.outputs,
    zipMaps: found.zipMaps,
    opsets: found.opsets,
    externalFiles: [...found.externalFiles].sort(),
  };
};

const checkDomains = ({ usedDomains, functionDomains }: Found, path: string): void => {
  const unknown = [...usedDomains].filter((name) => !knownDomains.has(name) && !functionDomains.has(name));
  if (unknown.length === 0) return;
  throw Invalid.field(path, `uses operators of ${unknown.join(', ')}, which only a custom library has`, {
    hint: 'Export the model with operators of ONNX, ai.onnx.ml or com.microsoft.',
  });
};

class OnnxReader {
  readonly #found: Found;
  readonly #files: PackageFiles;
  readonly #path: string;

  constructor(found: Found, files: PackageFiles, path: string) {
    this.#found = found;
    this.#files = files;
    this.#path = path;
  }

  model(bytes: Uint8Array): void {
    for (const { number, value } of fieldsOf(bytes)) {
      if (number === 7) this.#graph(messageOf(value), 0);
      if (number === 8) this.#opset(messageOf(value));
      if (number === 20) throw this.#invalid('holds training information, which is not served');
      if (number === 25) this.#function(messageOf(value));
    }
  }

  #opset(bytes: Uint8Array): void {
    let domain = '';
    let version = 0;
    for (const { number, value } of fieldsOf(bytes)) {
      if (number === 1) domain = textOf(value);
      if (number === 2) version = integerOf(value);
    }
    this.#found.opsets.set(domain, version);
  }

  #function(bytes: Uint8Array): void {
    for (const { number, value } of fieldsOf(bytes)) {
      if (number === 7) this.#node(messageOf(value), 1);
      if (number === 10) this.#found.functionDomains.add(textOf(value));
      if (number === 11) this.#attribute(messageOf(value), 1);
    }
  }

  #graph(bytes: Uint8Array, depth: number): void {
    if (depth > deepestGraph) throw this.#invalid(`nests graphs more than ${deepestGraph} deep`);
    const { values, initializers } = this.#found;
    for (const { number, value } of fieldsOf(bytes)) {
      if (number === 1) this.#node(messageOf(value), depth);
      if (number === 5) {
        const name = this.#tensor(messageOf(value));
        if (depth === 0) initializers.add(name);
      }
      if (number === 15) this.#sparseTensor(messageOf(value));
      if (depth > 0) continue;
      if (number === 11) values.inputs.push(valueInfo(messageOf(value)));
      if (number === 12) values.outputs.push(valueInfo(messageOf(value)));
    }
  }

  #node(bytes: Uint8Array, depth: number): void {
    this.#found.nodes += 1;
    if (this.#found.nodes > mostNodes) throw this.#invalid(`has more than ${mostNodes} nodes`);
    const inputs: string[] = [];
    const outputs: string[] = [];
    const attributes: Uint8Array[] = [];
    let operator = '';
    let domain = '';
    for (const { number, value } of fieldsOf(bytes)) {
      if (number === 1) inputs.push(textOf(value));
      if (number === 2) outputs.push(textOf(value));
      if (number === 4) operator = textOf(value);
      if (number === 5) attributes.push(messageOf(value));
      if (number === 7) domain = textOf(value);
    }
    this.#found.usedDomains.add(domain);
    for (const attribute of attributes) this.#attribute(attribute, depth);
    if (operator === 'ZipMap' && depth === 0) {
      const [input = '', output = ''] = [inputs[0], outputs[0]];
      this.#found.zipMaps.push({ input, output, classes: attributes.flatMap(classLabels) });
    }
  }

  #attribute(bytes: Uint8Array, depth: number): void {
    for (const { number, value } of fieldsOf(bytes)) {
      if (number === 5 || number === 10) this.#tensor(messageOf(value));
      if (number === 6 || number === 11) this.#graph(messageOf(value), depth + 1);
      if (number === 22 || number === 23) this.#sparseTensor(messageOf(value));
    }
  }

  #sparseTensor(bytes: Uint8Array): void {
    for (const { number, value } of fieldsOf(bytes)) {
      if (number === 1 || number === 2) this.#tensor(messageOf(value));
    }
  }

  /** The tensor's name. */
  #tensor(bytes: Uint8Array): string {
    const external = new Map<string, string>();
    let name = '';
    let isExternal = false;
    for (const { number, value } of fieldsOf(bytes)) {
      if (number === 8) name = textOf(value);
      if (number === 13) external.set(...entryOf(messageOf(value)));
      if (number === 14) isExternal = integerOf(value) === externalLocation;
    }
    if (isExternal || external.size > 0) this.#external(name, external);
    return name;
  }

  #external(tensor: string, entries: ReadonlyMap<string, string>): void {
    const location = entries.get('location') ?? '';
    const inside = location !== '' && location.split('/').every((part) => !['', '.', '..'].includes(part));
    if (!inside || /[\\\0]/.test(location)) {
      throw this.#invalid(`keeps tensor "${tensor}" in "${location}", outside the package`);
    }
    const path = posix.join(posix.dirname(this.#path), location);
    const size = this.#files.get(path)?.length;
    if (size === undefined) {
      throw this.#invalid(`keeps tensor "${tensor}" in ${path}, which the package does not have`);
    }
    const [offset, length] = [Number(entries.get('offset') ?? 0), Number(entries.get('length') ?? 0)];
    if (!(offset >= 0 && length >= 0 && offset + length <= size)) {
      throw this.#invalid(`keeps tensor "${tensor}" beyond the end of ${path}`);
    }
    this.#found.externalFiles.add(path);
  }

  #invalid(message: string): Invalid {
    return Invalid.field(this.#path, message);
  }
}

const entryOf = (bytes: Uint8Array): [string, string] => {
  const entry: [string, string] = ['', ''];
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === 1) entry[0] = textOf(value);
    if (number === 2) entry[1] = textOf(value);
  }
  return entry;
};

/** The classes of a `ZipMap`, when this is the attribute that holds them. */
const classLabels = (attribute: Uint8Array): string[] => {
  let isLabels = false;
  const labels: string[] = [];
  for (const { number, value } of fieldsOf(attribute)) {
    if (number === 1) isLabels = textOf(value).startsWith('classlabels_');
    if (number === 8) labels.push(...integersOf(value).map(String));
    if (number === 9) labels.push(textOf(value));
  }
  return isLabels ? labels : [];
};

const valueInfo = (bytes: Uint8Array): OnnxValue => {
  let name = '';
  let type: Pick<OnnxValue, 'elementType' | 'shape'> = { elementType: undefined, shape: undefined };
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === 1) name = textOf(value);
    if (number === 2) type = typeOf(messageOf(value));
  }
  return { name, ...type };
};

const typeOf = (bytes: Uint8Array): Pick<OnnxValue, 'elementType' | 'shape'> => {
  let elementType: number | undefined;
  let shape: (number | undefined)[] | undefined;
  for (const field of fieldsOf(bytes)) {
    if (field.number !== 1) continue;
    for (const { number, value } of fieldsOf(messageOf(field.value))) {
      if (number === 1) elementType = integerOf(value);
      if (number === 2) shape = dimensionsOf(messageOf(value));
    }
  }
  return { elementType, shape };
};

const dimensionsOf = (bytes: Uint8Array): (number | undefined)[] =>
  [...fieldsOf(bytes)]
    .filter(({ number }) => number === 1)
    .map(({ value }) => {
      const size = [...fieldsOf(messageOf(value))].find(({ number }) => number === 1);
      const known = size === undefined ? 0 : integerOf(size.value);
      return known > 0 ? known : undefined;
    });
