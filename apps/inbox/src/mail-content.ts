import PostalMime from 'postal-mime'

/** A mail taken apart for showing. */
export interface MailContent {
  readonly text: string
  readonly html: string
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  readonly attachments: readonly { readonly name: string; readonly type: string; readonly size: number }[]
  /** The http(s) addresses of the plain text, in their order; of the HTML when there is no text. */
  readonly links: readonly string[]
  /** False when the mail could not be taken apart: it is shown raw alone. */
  readonly readable: boolean
}

const webAddress = /\bhttps?:\/\/[^\s<>"'`]+[^\s<>"'`.,;:!?)\]}]/gi
const hrefs = /\bhref\s*=\s*"(https?:\/\/[^"]+)"/gi

export async function mailContent(raw: Buffer): Promise<MailContent> {
  const email = await PostalMime.parse(raw).catch(() => undefined)
  const text = email?.text ?? ''
  const html = email?.html ?? ''
  return {
    text,
    html,
    headers: (email?.headers ?? []).map(({ originalKey, value }) => ({ name: originalKey, value })),
    attachments: (email?.attachments ?? []).map(({ filename, mimeType, content }) => ({
      name: filename ?? '(without a name)',
      type: mimeType,
      size: typeof content === 'string' ? content.length : content.byteLength,
    })),
    links: text === '' ? linksOfHtml(html) : linksOf(text),
    readable: email !== undefined,
  }
}

/** Cuts a text into what is a web address and what is not, in order. */
export function textPieces(text: string): { readonly text: string; readonly link: boolean }[] {
  const pieces: { text: string; link: boolean }[] = []
  let end = 0
  for (const match of text.matchAll(webAddress)) {
    if (match.index > end) pieces.push({ text: text.slice(end, match.index), link: false })
    pieces.push({ text: match[0], link: true })
    end = match.index + match[0].length
  }
  if (end < text.length) pieces.push({ text: text.slice(end), link: false })
  return pieces
}

function linksOf(text: string): string[] {
  return [...new Set(Array.from(text.matchAll(webAddress), (match) => match[0]))]
}

function linksOfHtml(html: string): string[] {
  return [...new Set(Array.from(html.matchAll(hrefs), (match) => (match[1] ?? '').replaceAll('&amp;', '&')))]
}
