const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

const dateAndTime = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'long',
  timeStyle: 'short',
  timeZone: 'UTC',
})

/**
 * Until when a link works, in words. Both times come from the event and none from the clock: a mail that is
 * sent again must be the same mail.
 */
export function expirySentence(issuedAtMs: number, expiresAtMs: number): string {
  // Links end at a whole second, so the span lacks a part of one.
  const wholeMs = Math.ceil((expiresAtMs - issuedAtMs) / minuteMs) * minuteMs
  const span = spanText(Math.max(wholeMs, 0))
  return `The link works for ${span}, until ${dateAndTime.format(expiresAtMs)} UTC.`
}

function spanText(ms: number): string {
  if (ms >= 2 * dayMs) return counted(Math.floor(ms / dayMs), 'day')
  if (ms >= 2 * hourMs) return counted(Math.floor(ms / hourMs), 'hour')
  return counted(Math.max(Math.floor(ms / minuteMs), 1), 'minute')
}

function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
