import { greetingOf } from './greeting.ts'
import type { Letter, Product } from './letter.ts'
import { webLink } from './web-link.ts'

// No remote image, font or style: nothing is fetched when the mail is opened, so nobody is told that it was.
const style = `
:root { color-scheme: light dark; }
body { margin: 0; padding: 24px 16px; background: #f3f4f6; color: #1f2937; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 520px; margin: 0 auto; padding: 24px; background: #ffffff; border-radius: 8px; }
h1 { margin: 0 0 16px; font-size: 20px; line-height: 1.3; }
p { margin: 0 0 16px; }
a { color: #1d4ed8; overflow-wrap: anywhere; }
.button { display: inline-block; padding: 12px 20px; background: #1d4ed8; color: #ffffff; border-radius: 6px; font-weight: 600; text-decoration: none; }
.small { font-size: 14px; color: #4b5563; }
footer { max-width: 520px; margin: 16px auto 0; padding: 0 24px; font-size: 14px; color: #4b5563; }
@media (prefers-color-scheme: dark) {
  body { background: #111827; color: #f3f4f6; }
  main { background: #1f2937; }
  a { color: #93c5fd; }
  .button { background: #1d4ed8; color: #ffffff; }
  .small, footer { color: #d1d5db; }
}`

/** The letter as HTML that says the same as its plain text. Every value is escaped. */
export function letterHtml(letter: Letter, product: Product): string {
  const { action } = letter
  const link = escaped(webLink(action.link))
  const home = escaped(webLink(product.url))
  const expiry = action.expiry === undefined ? '' : `\n<p class="small">${escaped(action.expiry)}</p>`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(letter.subject)}</title>
<style>${style}
</style>
</head>
<body>
<main>
<h1>${escaped(letter.subject)}</h1>
<p><bdi>${escaped(greetingOf(letter.name))}</bdi></p>
${letter.paragraphs.map((paragraph) => `<p>${escaped(paragraph)}</p>`).join('\n')}
<p><a class="button" href="${link}">${escaped(action.label)}</a></p>
<p class="small">If the button does not work, open this address:<br><a href="${link}">${link}</a></p>${expiry}
<p class="small">${escaped(letter.notYou)}</p>
</main>
<footer><a href="${home}">${escaped(product.name)}</a></footer>
</body>
</html>
`
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')
}
