import { greetingOf } from './greeting.ts'
import type { Letter, Product } from './letter.ts'
import { webLink } from './web-link.ts'

/** The letter as plain text: the link stands alone on its line, so that every mail program finds its end. */
export function letterText(letter: Letter, product: Product): string {
  const { action } = letter
  const blocks = [
    greetingOf(letter.name),
    ...letter.paragraphs,
    `${action.label}:\n${webLink(action.link)}`,
    ...(action.expiry === undefined ? [] : [action.expiry]),
    letter.notYou,
    `-- \n${product.name}\n${webLink(product.url)}`,
  ]
  return `${blocks.join('\n\n')}\n`
}
