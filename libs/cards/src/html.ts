/** A piece of HTML that is known to be safe: made by `html`, never by hand from data. */
export class SafeHtml {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** What `html` accepts between its parts: text is escaped, `SafeHtml` stands, nothing becomes nothing. */
export type HtmlValue = SafeHtml | string | number | undefined | readonly HtmlValue[];

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

// Control characters have no place in HTML; tab, line feed and carriage return do.
// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are looked for.
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g;

/** Makes any text safe as element content and inside a quoted attribute. */
export const escapeHtml = (text: string): string =>
  text.replace(forbidden, '\ufffd').replace(/[&<>"'`]/g, (character) => entities[character] ?? character);

/** Template tag: `` html`<td>${value}</td>` `` escapes every value that is not itself `SafeHtml`. */
export const html = (parts: TemplateStringsArray, ...values: readonly HtmlValue[]): SafeHtml =>
  new SafeHtml(parts.reduce((text, part, index) => text + render(values[index - 1]) + part));

const render = (value: HtmlValue): string => {
  if (value === undefined) return '';
  if (value instanceof SafeHtml) return value.text;
  if (typeof value === 'object') return value.map(render).join('');
  return escapeHtml(String(value));
};
