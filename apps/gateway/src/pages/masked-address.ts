const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** An address that its owner recognises and a glance over his shoulder does not give away: `a…@example.org`. */
export function maskedAddress(address: string): string {
  const at = address.lastIndexOf('@')
  if (at < 1) return '…'
  const [first] = graphemes.segment(address.slice(0, at))
  return `${first?.segment ?? ''}…${address.slice(at)}`
}
