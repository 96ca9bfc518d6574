import { describe, expect, test } from 'vitest';
import { renderTemplate } from './render.ts';
import type { TemplateMapping } from './values.ts';

const files: Readonly<Record<string, string>> = { 'a.json': '{"b": [1, null, "it\'s"]}', 'bad.json': '{' };
const render = (source: string, variables: TemplateMapping = {}) =>
  renderTemplate(source, { variables, readFile: (path) => files[path] });
const textOf = (source: string, variables: TemplateMapping = {}): string => {
  const { text, faults } = render(source, variables);
  expect(faults.map((fault) => fault.message)).toEqual([]);
  return text;
};
const faultsOf = (source: string, variables: TemplateMapping = {}): readonly string[] =>
  render(source, variables).faults.map((fault) => `${fault.offset}: ${fault.message}`);

describe('a template', () => {
  test.each([
    ['a: {{ X }}', 'a: 1'],
    ['a: {{X|default([0.75, 0.125])}}', 'a: 1'],
    ['a: {{ M|default([0.75, 0.125]) }}', 'a: [0.75, 0.125]'],
    ['{{ NIL }}', 'null'],
    ['{{ MAP }}', "{'p': 'C:\\data', 'q': null, 'r': [true, 'it''s']}"],
    ['{{ MAP.p }} {{ MAP["p"] }}', 'C:\\data C:\\data'],
    ['{{ "a" if X == 1 else "b" }}', 'a'],
    ['{% if M is defined %}x{% else %}y{% endif %}', 'y'],
    ['{% for i in range(3) %}{{ i }},{% endfor %}', '0,1,2,'],
    ['{% for k, v in MAP.items() %}{{ k }}={{ loop.index }};{% endfor %}', 'p=1;q=2;r=3;'],
    ['{% set y = X + 1 %}{{ y * 2 }}', '4'],
    ['{{ "ab"|upper }} {{ [1, 2]|length }} {{ [3, 1]|sort|join("-") }}', 'AB 2 1-3'],
    ['{{ ("a.json"|from_json).b }}', "[1, null, 'it''s']"],
    ['{{ X is number and not (X > 3) and X in [1, 2] }}', 'true'],
    ['{{ True }} {{ None }} {{ "a" ~ X }} {{ 7 // 2 }} {{ -7 % 3 }}', 'true null a1 3 2'],
    ['a{# note #}b', 'ab'],
  ])('%s renders', (source, expected) => {
    const variables = { X: 1, NIL: null, MAP: { p: 'C:\\data', q: null, r: [true, "it's"] } };
    expect(textOf(source, variables)).toBe(expected);
  });

  test('keeps # in quotes, and ignores tags in comments', () => {
    const source = 'u: "http://h/#{{ A }}"  # {{ GONE }} {% if %}\n# {{ ALSO_GONE }}\nb: \'# {{ A }}\'\n';
    expect(textOf(source, { A: 'x' })).toBe(
      'u: "http://h/#x"  # {{ GONE }} {% if %}\n# {{ ALSO_GONE }}\nb: \'# x\'\n',
    );
  });

  test('reports every undefined name at its place', () => {
    expect(faultsOf('a: {{ X }}\nb: {{ Y.z }}\nc: {{ Z|upper }}')).toEqual([
      '6: `X` is undefined',
      '17: `Y` is undefined',
      '30: `Z` is undefined',
    ]);
  });

  test('knows for each rendered character where it came from', () => {
    const source = '{% for i in range(2) %}\n- k{{ i }}: v\n{% endfor %}\nlast: 1\n';
    const { text, sourceOffset } = render(source);
    expect(sourceOffset(text.indexOf('k1'))).toBe(source.indexOf('k{{'));
    expect(sourceOffset(text.lastIndexOf('v'))).toBe(source.indexOf('v'));
    expect(sourceOffset(text.indexOf('last'))).toBe(source.indexOf('last'));
    expect(sourceOffset(text.indexOf('1:'))).toBe(source.indexOf('{{ i'));
  });
});

describe('a hostile template', () => {
  test.each(
    [
      "{{ ''.constructor }}",
      "{{ ''['constructor'] }}",
      '{{ [].constructor.constructor("return process")() }}',
      '{{ X.__proto__ }}',
      '{{ X["__proto__"]["polluted"] }}',
      '{{ range.constructor }}',
      '{{ self }}',
      '{{ process.env }}',
      '{{ globalThis }}',
      '{{ cycler("a") }}',
      '{{ joiner() }}',
      '{{ "a"|groupby("constructor") }}',
      '{{ X|toString }}',
      '{{ X|constructor }}',
      '{{ X is constructor }}',
      '{{ [[1]]|join(",", "constructor") }}',
      '{{ "/etc/passwd"|from_json }}',
      '{{ "bad.json"|from_json }}',
      '{{ r/(a+)+$/ }}',
      '{% include "x" %}',
      '{% extends "x" %}',
      '{% import "x" as y %}',
      '{% macro f() %}{% endmacro %}',
      '{% block b %}{% endblock %}',
      '{{ range(100000000) }}',
      '{% for i in range(9999) %}{% for j in range(9999) %}{% for k in range(9999) %}x{% endfor %}{% endfor %}{% endfor %}',
      `{% set a = "x" %}${'{% set a = a ~ a %}'.repeat(60)}{{ a }}`,
      `{% set a = [1] %}${'{% set a = [a, a] %}'.repeat(60)}{{ a }}`,
      `{% set a = "x" %}${'{% set a = a|replace("", a) %}'.repeat(60)}`,
      `{{ ${'('.repeat(50_000)} }}`,
      `{{ ${'-'.repeat(50_000)}1 }}`,
    ].map((source) => [source.slice(0, 80), source] as const),
  )('%s is refused, quickly and without harm', (_, source) => {
    expect(faultsOf(source, { X: {} }).length).toBeGreaterThan(0);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test.each([
    '{{ a',
    '{% if %}',
    '{% foo %}',
    '{{ a b }}',
    '{% for a %}{% endfor %}',
    '{% endif %}',
    '{{ }}',
    '{{ "a }}',
  ])('%s is a syntax error', (source) => {
    expect(faultsOf(source).length).toBeGreaterThan(0);
  });
});
