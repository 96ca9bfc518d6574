import { describe, expect, it } from 'vitest';
import { environmentSpecOf } from './environment-spec.ts';

const project = (texts: Record<string, string>) => ({
  readFile: (path: string) => texts[path],
  listFiles: () => Object.keys(texts),
});
const specOf = (texts: Record<string, string>, needs: readonly string[] = []) =>
  environmentSpecOf(project(texts), needs);
const problemOf = (texts: Record<string, string>) => {
  try {
    specOf(texts);
  } catch (thrown) {
    return thrown as { code: string; message: string; hint?: string };
  }
  throw new Error('nothing was thrown');
};

describe('requirements.txt', () => {
  it('gives its requirements with their places, without comments and empty lines', () => {
    const text = '# what we need\nmlflow>=2.0  # any\n\nscikit-learn==1.5.2 ; python_version >= "3.9"\n';
    expect(specOf({ 'requirements.txt': text }, ['hyperopt'])).toEqual({
      source: 'requirements.txt',
      requirements: ['mlflow>=2.0', 'scikit-learn==1.5.2 ; python_version >= "3.9"'],
      places: ['requirements.txt:2', 'requirements.txt:4'],
      needs: ['hyperopt'],
    });
  });

  it('includes others of the project, and takes constraints as such', () => {
    const spec = specOf({
      'requirements.txt': '-r requirements/base.txt\n-c limits.txt\nxgboost',
      'requirements/base.txt': '--requirement=more.txt\npandas',
      'requirements/more.txt': 'numpy\n-r base.txt',
      'limits.txt': 'scipy<2',
    });
    expect(spec.requirements).toEqual(['numpy', 'pandas', 'xgboost']);
    expect(spec.places).toEqual(['requirements/more.txt:1', 'requirements/base.txt:2', 'requirements.txt:3']);
    expect(spec.constraints).toEqual(['scipy<2']);
  });

  it('keeps hashes and joins continued lines', () => {
    const { requirements, places } = specOf({
      'requirements.txt': 'six==1.16.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nurl-normalize',
    });
    expect(requirements).toEqual([
      expect.stringMatching(/^six==1.16.0 +--hash=sha256:aa +--hash=sha256:bb$/),
      'url-normalize',
    ]);
    expect(places).toEqual(['requirements.txt:1', 'requirements.txt:4']);
  });

  it('keeps the options that say where packages come from', () => {
    const text = '--extra-index-url https://packages.example/simple\n--prefer-binary\n--pre\nsix';
    expect(specOf({ 'requirements.txt': text })).toMatchObject({
      options: ['--extra-index-url https://packages.example/simple', '--pre'],
      requirements: ['six'],
    });
  });

  it('takes requirements by address and from version control', () => {
    const lines = [
      'six @ https://packages.example/six-1.16.0-py2.py3-none-any.whl',
      'git+https://git.example/x.git@v1',
    ];
    expect(specOf({ 'requirements.txt': lines.join('\n') }).requirements).toEqual(lines);
  });

  it.each([
    ['-e .', 'requirements.txt:2: `.` is no package: it has no pyproject.toml and no setup.py'],
    ['./docs', 'requirements.txt:2: `./docs` is no package: it has no pyproject.toml and no setup.py'],
    ['-c limits.txt', 'limits.txt:1: `./lib` is a path, which constrains nothing'],
    ['-e ../lib', 'requirements.txt:2: ../lib lies outside the project'],
    ['./lib/../../other', 'requirements.txt:2: ./lib/../../other lies outside the project'],
    ['lib @ file:../lib', 'requirements.txt:2: lib @ file:../lib lies outside the project'],
    ['file:///project/lib', 'requirements.txt:2: file:///project/lib lies outside the project'],
    [
      './lib ; python_version < "3.9"',
      'requirements.txt:2: `./lib ; python_version < "3.9"` has a condition, which a path cannot have here',
    ],
    ['-r ../other.txt', 'requirements.txt:2: ../other.txt lies outside the project'],
    ['-r /etc/other.txt', 'requirements.txt:2: /etc/other.txt lies outside the project'],
    [
      '-r https://x.example/r.txt',
      'requirements.txt:2: https://x.example/r.txt is included from outside the project',
    ],
    ['-r missing.txt', 'requirements.txt: includes missing.txt, which is not in the project'],
    ['../lib', 'requirements.txt:2: ../lib lies outside the project'],
    ['lib @ file:///opt/lib', 'requirements.txt:2: lib @ file:///opt/lib lies outside the project'],
    ['./absent', 'requirements.txt:2: `./absent` is not in the project'],
    ['--find-links ./wheels', 'requirements.txt:2: packages of the local directory ./wheels cannot be used'],
    ['--shout', 'requirements.txt:2: the option --shout of requirements files is not known'],
    ['=1.0', 'requirements.txt:2: `=1.0` is no requirement'],
  ])('with %s is refused, naming the line', (line, message) => {
    const problem = problemOf({
      'requirements.txt': `six\n${line}`,
      'limits.txt': './lib',
      'lib/setup.py': '',
      'docs/index.md': '',
    });
    expect(problem).toMatchObject({ code: 'invalid', message });
  });

  it.each([
    ['./lib', ''],
    ['lib/', ''],
    ['./lib[plots, fast]', '[plots, fast]'],
    ['-e ./lib', ''],
    ['--editable=lib/.', ''],
    ['prices @ file:lib', ''],
    ['prices[plots] @ file:./lib', '[plots]'],
    ['file:./lib', ''],
  ])('takes a package of the project’s own: %s', (line, extras) => {
    const files = {
      'requirements.txt': `six\n${line}`,
      'lib/setup.py': '',
      'lib/prices.py': '',
      'libs.py': '',
    };
    const spec = specOf(files);
    expect(spec.requirements).toEqual(['six']);
    expect(spec.localPackages).toEqual([
      { path: 'lib', extras, place: 'requirements.txt:2', files: ['lib/prices.py', 'lib/setup.py'] },
    ]);
  });

  it('takes the project itself, and wheels that lie in it', () => {
    const wheel = 'vendor/prices-1.0-py3-none-any.whl';
    const files = { 'requirements.txt': `-e .[dev]\n./${wheel}`, 'setup.py': '', [wheel]: '' };
    expect(specOf(files).localPackages).toMatchObject([
      { path: '.', extras: '[dev]', files: ['requirements.txt', 'setup.py', wheel] },
      { path: wheel, files: [wheel] },
    ]);
  });

  it('comes before the other files', () => {
    const spec = specOf({ 'conda.yaml': 'dependencies: [python=3.10]', 'requirements.txt': 'six' });
    expect(spec).toMatchObject({ requirements: ['six'], source: 'requirements.txt' });
    expect(spec.python).toBeUndefined();
  });

  it('goes with the version of .python-version', () => {
    expect(specOf({ 'requirements.txt': 'six', '.python-version': '3.11.7\n' }).python).toBe('3.11.7');
  });
});

it('versions with a wildcard are ordered as pip once ordered them', () => {
  const text = 'pandas>=1.3.*\nshap >= 0.40.*,<1.*\nnumpy==1.26.*\nscipy!=1.9.*\n';
  expect(specOf({ 'requirements.txt': text }).requirements).toEqual([
    'pandas>=1.3',
    'shap >= 0.40,<1',
    'numpy==1.26.*',
    'scipy!=1.9.*',
  ]);
});

describe('pyproject.toml', () => {
  it('gives dependencies and the version of Python', () => {
    const text =
      '[project]\nname = "x"\nrequires-python = ">=3.10,<3.13"\ndependencies = [\n  "pandas<3",\n  "six",\n]\n';
    expect(specOf({ 'pyproject.toml': text })).toEqual({
      source: 'pyproject.toml',
      python: '>=3.10,<3.13',
      requirements: ['pandas<3', 'six'],
      places: ['pyproject.toml:5', 'pyproject.toml:6'],
      needs: [],
    });
  });

  it('that only configures tools says nothing', () => {
    expect(specOf({ 'pyproject.toml': '[tool.black]\n' })).toEqual(specOf({}));
  });

  it('may require packages of the project’s own, and none from elsewhere', () => {
    const text = (path: string) => `[project]\nname = "x"\ndependencies = [\n  "prices @ file:${path}",\n]\n`;
    expect(specOf({ 'pyproject.toml': text('lib'), 'lib/setup.py': '' })).toMatchObject({
      requirements: [],
      localPackages: [{ path: 'lib', place: 'pyproject.toml:4' }],
    });
    expect(problemOf({ 'pyproject.toml': text('///opt/prices') }).message).toBe(
      'pyproject.toml:4: prices @ file:///opt/prices lies outside the project',
    );
  });

  it('that cannot be read is refused', () => {
    expect(problemOf({ 'pyproject.toml': '[project' })).toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('pyproject.toml: '),
    });
  });
});

describe('conda.yaml', () => {
  const text = [
    'channels: [conda-forge]',
    'dependencies:',
    '  - python=3.10.4',
    '  - pip<24',
    '  - conda-forge::pytorch=2.1=py310',
    '  - scipy>=1.9',
    '  - pip:',
    '      - mlflow>=2.0',
    '      - -r extra.txt',
  ].join('\n');

  it('gives the pip part, and conda’s packages by their names at the index with a warning', () => {
    expect(specOf({ 'conda.yaml': text, 'extra.txt': 'six' })).toEqual({
      source: 'conda.yaml',
      python: '==3.10.4.*',
      requirements: ['torch==2.1.*', 'scipy>=1.9', 'mlflow>=2.0', 'six'],
      places: ['conda.yaml:5', 'conda.yaml:6', 'conda.yaml:8', 'extra.txt:1'],
      warnings: [
        "conda.yaml:5: conda's package pytorch is taken from the Python package index as torch==2.1.*",
        "conda.yaml:6: conda's package scipy is taken from the Python package index as scipy>=1.9",
      ],
      needs: [],
    });
  });

  it('whose dependencies are no list is refused', () => {
    expect(problemOf({ 'conda.yaml': 'dependencies: {a: 1}' }).message).toBe(
      'conda.yaml: dependencies: is no list',
    );
  });
});

describe('python_env.yaml', () => {
  it('gives the version and what is included', () => {
    const texts = {
      'python_env.yaml':
        'python: 3.9.18\nbuild_dependencies: [pip]\ndependencies: [-r base.txt, six==1.16.0]',
      'base.txt': 'pandas',
    };
    // requirements.txt would come first; MLflow's own file of that name is included by it.
    expect(specOf(texts)).toMatchObject({
      python: '3.9.18',
      requirements: ['pandas', 'six==1.16.0'],
      places: ['base.txt:1', 'python_env.yaml:3'],
    });
  });

  it('with a version that is none is refused', () => {
    expect(problemOf({ 'python_env.yaml': 'python: three' }).message).toBe(
      'python_env.yaml: python: `three` is no version of Python',
    );
  });
});

it('a project without any of the files has what came with MLflow', () => {
  const { requirements, needs, source } = specOf({}, ['hyperopt']);
  expect(requirements).toEqual(expect.arrayContaining(['packaging', 'matplotlib']));
  expect({ needs, source }).toEqual({ needs: ['hyperopt'], source: undefined });
});
