import type { MailSummary } from './stored-mail.ts'
import { canonicalAddress } from './stored-mail.ts'

/** Mails to one address, however it is written. */
export function mailsTo(mails: readonly MailSummary[], address: string): readonly MailSummary[] {
  const wanted = canonicalAddress(address.trim())
  return mails.filter(({ to }) => to.some((each) => canonicalAddress(each) === wanted))
}

/** Mails in whose sender, recipients or subject all words of the query occur. */
export function mailsLike(mails: readonly MailSummary[], query: string): readonly MailSummary[] {
  const words = plain(query).split(/\s+/).filter(Boolean)
  if (words.length === 0) return mails
  return mails.filter((mail) => {
    const addresses = [mail.from, ...mail.to].flatMap((address) => [address, canonicalAddress(address)])
    const text = plain([mail.subject, ...addresses].join('\n'))
    return words.every((word) => text.includes(word))
  })
}

function plain(text: string): string {
  return text.normalize('NFC').toLowerCase()
}
