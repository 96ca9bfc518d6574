import { describe, expect, it } from 'vitest';
import { environmentSpecOf } from './environment-spec.ts';

const specOf = (dependencies: string, more: Readonly<Record<string, string>> = {}) => {
  const files: Readonly<Record<string, string>> = {
    'pyproject.toml': `[tool.poetry]\nname = "x"\n\n[tool.poetry.dependencies]\n${dependencies}`,
    ...more,
  };
  return environmentSpecOf({ readFile: (path) => files[path], listFiles: () => Object.keys(files) }, []);
};
const problemOf = (dependencies: string) => {
  try {
    specOf(dependencies);
  } catch (thrown) {
    return thrown as { code: string; message: string };
  }
  throw new Error('nothing was thrown');
};

describe("Poetry's dependencies", () => {
  // By https://python-poetry.org/docs/dependency-specification, where these examples are from.
  it.each([
    ['^1.2.3', '>=1.2.3,<2'],
    ['^1.2', '>=1.2,<2'],
    ['^1', '>=1,<2'],
    ['^0.2.3', '>=0.2.3,<0.3'],
    ['^0.0.3', '>=0.0.3,<0.0.4'],
    ['^0.0', '>=0.0,<0.1'],
    ['^0', '>=0,<1'],
    ['~1.2.3', '>=1.2.3,<1.3'],
    ['~1.2', '>=1.2,<1.3'],
    ['~1', '>=1,<2'],
    ['*', ''],
    ['1.*', '==1.*'],
    ['1.2.3', '==1.2.3'],
    ['==1.2.3', '==1.2.3'],
    ['~=1.4.2', '~=1.4.2'],
    ['>= 1.2, < 1.5', '>=1.2,<1.5'],
    ['>1.2 !=1.3', '>1.2,!=1.3'],
    ['^2.0.0rc1', '>=2.0.0rc1,<3'],
  ])('of the version %s are those of %s', (constraint, specifiers) => {
    expect(specOf(`six = "${constraint}"\n`).requirements).toEqual([`six${specifiers}`]);
  });

  it('come with extras, conditions, and the version of Python', () => {
    const text = [
      'python = "^3.9"',
      'pandas = {version = "~2.2", extras = ["excel", "plot"]}',
      'tomli = {version = "^2", python = "<3.11"}',
      'colour = {version = "*", platform = "win32", markers = "extra == \'a\' or extra == \'b\'"}',
      'numpy = [',
      '  {version = "<2", python = "<3.12"},',
      '  {version = ">=2", python = ">=3.12"},',
      ']',
      '[tool.poetry.dependencies.scipy]',
      'version = "1.13.1"',
      '[tool.poetry.group.dev.dependencies]',
      'pytest = "*"',
    ].join('\n');
    expect(specOf(text)).toEqual({
      source: 'pyproject.toml',
      python: '>=3.9,<4',
      requirements: [
        'pandas[excel,plot]>=2.2,<2.3',
        "tomli>=2,<3 ; python_version < '3.11'",
        "colour ; sys_platform == 'win32' and (extra == 'a' or extra == 'b')",
        "numpy<2 ; python_version < '3.12'",
        "numpy>=2 ; python_version >= '3.12'",
        'scipy==1.13.1',
      ],
      places: [6, 7, 8, 9, 9, 13].map((line) => `pyproject.toml:${line}`),
      needs: [],
    });
  });

  it('that are optional are left out', () => {
    expect(specOf('six = {version = "*", optional = true}').requirements).toEqual([]);
  });

  it('may lie in the project', () => {
    const { localPackages } = specOf('prices = {path = "libs/prices", develop = true}', {
      'libs/prices/pyproject.toml': '',
    });
    expect(localPackages).toMatchObject([{ path: 'libs/prices', place: 'pyproject.toml:5' }]);
  });

  it('may have indexes of their own, which are warned about', () => {
    const { warnings } = specOf('six = "*"\n[[tool.poetry.source]]\nname = "a"\nurl = "https://a.example"\n');
    expect(warnings).toEqual([expect.stringContaining('name them in UV_INDEX')]);
  });

  it.each([
    ['six = {git = "https://git.example/six.git", tag = "v1"}', 'six comes from version control (git)'],
    ['six = {url = "https://a.example/six.whl"}', 'six comes from an address (url)'],
    ['six = {version = "*", source = "a"}', 'six is bound to one of the indexes of Poetry (source)'],
    ['six = {path = "../six"}', 'six @ file:../six lies outside the project'],
    ['six = "^1 || ^2"', 'six: `^1 || ^2` has alternatives, which pip does not know'],
    ['six = "newest"', 'six: `newest` is no version'],
    ['six = 1', 'six = 1 is no dependency'],
  ])('of %s are refused, naming the line', (dependency, message) => {
    const problem = problemOf(`python = "^3.9"\n${dependency}\n`);
    expect(problem.code).toBe('invalid');
    expect(problem.message).toContain(`pyproject.toml:6: ${message}`);
  });

  it('give way to those of the project table', () => {
    const text = '[project]\nname = "x"\ndependencies = ["six"]\n[tool.poetry.dependencies]\npandas = "*"\n';
    const files = { 'pyproject.toml': text };
    const spec = environmentSpecOf({ readFile: () => text, listFiles: () => Object.keys(files) }, []);
    expect(spec.requirements).toEqual(['six']);
  });
});
