import { domainToASCII } from 'node:url'
import PostalMime from 'postal-mime'

/** Sender and recipients as the SMTP client named them: what counts, whatever the headers say. */
export interface Envelope {
  readonly from: string
  readonly to: readonly string[]
}

/** What the inbox keeps in memory of a mail. */
export interface MailSummary extends Envelope {
  /** UUIDv7: grows with the time of arrival. */
  readonly id: string
  readonly receivedAt: string
  readonly subject: string
  readonly messageId: string
  /** Of the mail as it came, in bytes. */
  readonly size: number
}

// The head of a file is what a mail server adds on delivery (RFC 5321 4.4, RFC 9228), so that the file alone
// is the whole truth and opens in any mail program. This header ends our part.
const lastOfHead = 'X-Inbox-Id'

/** What is written before the mail. */
export function deliveryHead(id: string, { from, to }: Envelope): string {
  const lines = [
    `Return-Path: <${oneLine(from)}>`,
    ...to.map((address) => `Delivered-To: ${oneLine(address)}`),
    `${lastOfHead}: ${id}`,
  ]
  return `${lines.join('\r\n')}\r\n`
}

/** Takes a file apart; undefined when it was not written by an inbox. */
export function withoutHead(file: Buffer): { readonly envelope: Envelope; readonly raw: Buffer } | undefined {
  const end = file.indexOf(`\r\n${lastOfHead}: `)
  const rest = end < 0 ? -1 : file.indexOf('\r\n', end + 2)
  if (rest < 0) return undefined
  const lines = file.subarray(0, end).toString('utf8').split('\r\n')
  const from = /^Return-Path: <(.*)>$/.exec(lines[0] ?? '')?.[1]
  if (from === undefined) return undefined
  const to = lines.slice(1).flatMap((line) => /^Delivered-To: (.*)$/.exec(line)?.[1] ?? [])
  return { envelope: { from, to }, raw: file.subarray(rest + 2) }
}

/** Reads what the list shows out of a mail's headers. */
export async function summaryOf(id: string, envelope: Envelope, raw: Buffer): Promise<MailSummary> {
  const { subject, messageId } = await subjectOf(headerPart(raw))
  return {
    id,
    receivedAt: new Date(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toISOString(),
    ...envelope,
    subject,
    messageId,
    size: raw.byteLength,
  }
}

/** One form for an address however it is written, for comparing. */
export function canonicalAddress(address: string): string {
  const at = address.lastIndexOf('@') + 1
  const domain = address.slice(at)
  return `${address.slice(0, at)}${domainToASCII(domain) || domain}`
    .normalize('NFC')
    .toLowerCase()
    .replaceAll('ς', 'σ')
}

async function subjectOf(headers: Buffer): Promise<{ subject: string; messageId: string }> {
  try {
    const { subject, messageId } = await PostalMime.parse(headers)
    return { subject: subject ?? '', messageId: messageId ?? '' }
  } catch {
    // Any bytes are a mail here; one whose headers nobody can read is still listed and shown raw.
    return { subject: '(unreadable)', messageId: '' }
  }
}

function headerPart(raw: Buffer): Buffer {
  const end = raw.indexOf('\r\n\r\n')
  return end < 0 ? raw.subarray(0, 64 * 1024) : raw.subarray(0, end + 4)
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]/g, ' ')
}
