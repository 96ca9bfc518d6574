import { describe, expect, test } from 'vitest';
import { parseInputExample, parseMlmodel } from './model-package.ts';

const mlmodel = `
flavors: {python_function: {loader_module: mlflow.sklearn}}
saved_input_example_info: {artifact_path: input_example.json, type: dataframe, pandas_orient: split}
signature:
  inputs: '[{"type":"double","name":"distance","required":true},{"type":"datetime","name":"at","required":false}]'
  outputs: '[{"type":"tensor","tensor-spec":{"dtype":"float64","shape":[-1]}}]'
  params: null
`;

describe('model package', () => {
  test('tells its signature in the words of the platform', () => {
    expect(parseMlmodel(mlmodel)).toEqual({
      inputExamplePath: 'input_example.json',
      flavors: ['python_function'],
      signature: {
        inputs: [
          { name: 'distance', type: 'number', required: true },
          { name: 'at', type: 'timestamp', required: false },
        ],
        outputs: [{ name: '0', type: 'tensor', required: true }],
      },
    });
  });

  test('may tell nothing', () => {
    expect(parseMlmodel('flavors: {}')).toEqual({
      inputExamplePath: undefined,
      flavors: [],
      signature: { inputs: [], outputs: [] },
    });
  });

  test('is refused with the place when it cannot be read', () => {
    expect(() => parseMlmodel('a: [')).toThrow(/^model\.MLmodel: is not YAML/);
    expect(() => parseMlmodel('just text')).toThrow(/^model\.MLmodel: is not a mapping/);
    expect(() => parseMlmodel('signature: {inputs: "{"}')).toThrow(/^model\.MLmodel\.signature\.inputs/);
  });

  test('shows the first rows of its input example in each of the usual shapes', () => {
    const split = { columns: ['a', 'b'], data: Array.from({ length: 9 }, (_, row) => [row, `b${row}`]) };
    const rows = parseInputExample(JSON.stringify(split));
    expect(rows).toHaveLength(5);
    expect(rows[1]).toEqual({ a: 1, b: 'b1' });
    expect(parseInputExample(JSON.stringify({ dataframe_split: split }))).toEqual(rows);
    expect(parseInputExample('[{"a":1},{"a":null}]')).toEqual([{ a: 1 }, { a: null }]);
    expect(parseInputExample('{"inputs":[[1,2]]}')).toEqual([]);
  });
});
