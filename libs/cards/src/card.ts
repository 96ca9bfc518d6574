import { type HtmlValue, html, SafeHtml } from './html.ts';
import { style } from './style.ts';

export interface CardSection {
  readonly title: string;
  readonly content: readonly SafeHtml[];
}

export interface Card {
  readonly title: string;
  /** One line below the title; text, or pieces made with `html`. */
  readonly subtitle?: HtmlValue;
  /** Beside the title, as made by `badge`. */
  readonly badge?: SafeHtml;
  readonly sections: readonly CardSection[];
  readonly footer?: string;
}

// Nothing may run or be fetched, so that a hole in the escaping would still do no harm.
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/**
 * One self-contained HTML page: opens from disk, fetches nothing, runs no script. Equal input gives equal
 * bytes.
 */
export const renderCard = ({ title, subtitle, badge, sections, footer }: Card): string => {
  const links = sections.map((section, index) => html`<a href="#s${index}">${section.title}</a>`);
  const bodies = sections.map(
    (section, index) => html`
<section id="s${index}"><h2>${section.title}</h2>
${section.content}
</section>`,
  );
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new SafeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new SafeHtml(style)}</style>
</head>
<body>
<header><div><div class="title"><h1>${title}</h1>${badge}</div>${
    subtitle === undefined ? undefined : html`<p>${subtitle}</p>`
  }</div></header>
<nav aria-label="Sections"><div>${links}</div></nav>
<main>${bodies}
</main>
<footer>${footer}</footer>
</body>
</html>
`.text;
};
