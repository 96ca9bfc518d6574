import type { Path } from './yaml-document.ts';

/** `steps.split.split_ratios[1]` */
export const pathText = (path: Path): string =>
  path.reduce<string>((text, segment) => {
    if (typeof segment === 'number') return `${text}[${segment}]`;
    return text === '' ? segment : `${text}.${segment}`;
  }, '');
