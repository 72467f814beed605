/** A place in PostgreSQL's write-ahead log as the port's position: 16 hexadecimal digits, so that texts order as places do. */
export function positionOf(lsn: bigint): string {
  return lsn.toString(16).padStart(16, '0')
}

/** The place that a position names. */
export function lsnOf(position: string): bigint {
  return BigInt(`0x${position}`)
}

/** As PostgreSQL writes it: `16/B374D848`. */
export function lsnText(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffff_ffffn).toString(16)}`.toUpperCase()
}

/** Reads what PostgreSQL writes. */
export function parseLsn(text: string): bigint {
  const [high = '0', low = '0'] = text.split('/')
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`)
}
