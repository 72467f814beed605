/** Mails that were sent: their ids, in order. */
export const mailsKey = 'mails'
/** What the legacy system knows: facts as JSON, by buyer. */
export const legacyKey = 'legacy'
