/** Texts that break out of an element, an attribute, a comment, a style or a script when they are not escaped. */
export const hostileTexts = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</title><script>alert(1)</script>',
  '</style><script>alert(1)</script>',
  '--><script>alert(1)</script>',
  '<svg/onload=alert(1)>',
  '`$'.concat('{alert(1)}`'),
  '&lt;script&gt;',
  'javascript:alert(1)',
  '\u0000<b>\u001b[31m',
] as const;

/** The structure of a page: its tags with their attributes' names, text left out. */
export const structureOf = (page: string): string[] =>
  [...page.matchAll(/<(\/?[a-zA-Z!][^\s/>]*)((?:[^>"]|"[^"]*")*)>/g)].map(
    ([, tag, attributes = '']) =>
      `${tag} ${[...attributes.replace(/"[^"]*"/g, '').matchAll(/([\w:-]+)=/g)].map(([, name]) => name).join(' ')}`,
  );

const voidTags = new Set(['!doctype', 'meta', 'br', 'hr', 'img', 'input', 'link']);
/** Void by syntax: SVG elements that are closed where they are opened. */
const selfClosed = /\/\s*$/;

/** What is wrong with the nesting of a page's tags; nothing for a well-formed one. */
export const nestingFaults = (page: string): string[] => {
  const open: string[] = [];
  const faults: string[] = [];
  for (const [, slash, tag = '', rest = ''] of page.matchAll(
    /<(\/?)([a-zA-Z!][^\s/>]*)((?:[^>"]|"[^"]*")*)>/g,
  )) {
    if (slash === '/') {
      const last = open.pop();
      if (last !== tag) faults.push(`</${tag}> closes <${last ?? 'nothing'}>`);
    } else if (!voidTags.has(tag) && !selfClosed.test(rest)) open.push(tag);
  }
  return [...faults, ...open.map((tag) => `<${tag}> stays open`)];
};

const activeTags = new Set([
  'script',
  'link',
  'iframe',
  'img',
  'object',
  'embed',
  'base',
  'form',
  'audio',
  'video',
]);

/** What a page would run or fetch when it is opened; nothing for a card. */
export const activeContent = (page: string): string[] => {
  const found = [...page.matchAll(/<([a-zA-Z!][^\s/>]*)((?:[^>"]|"[^"]*")*)>/g)].flatMap(
    ([, tag = '', rest = '']) => [
      ...(activeTags.has(tag.toLowerCase()) ? [tag] : []),
      ...[...rest.matchAll(/([\w:-]+)="([^"]*)"/g)].flatMap(([, name = '', value = '']) =>
        isActive(name.toLowerCase(), value) ? [`${name}="${value}"`] : [],
      ),
    ],
  );
  const [style = ''] = /<style>[^<]*<\/style>/.exec(page) ?? [];
  return /@import|url\(/.test(style) ? [...found, 'style'] : found;
};

/** Links within the page are the only ones. */
const isActive = (name: string, value: string): boolean =>
  name === 'src' || name.startsWith('on') || (/(^|:)href$/.test(name) && !value.startsWith('#'));
