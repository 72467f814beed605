import { InvalidArgumentError } from 'commander'

/** A whole number from 1, of an option. */
export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text))
    throw new InvalidArgumentError('A whole number from 1 to 9999999 is needed.')
  return Number(text)
}

/** The number of a partition, of an option. */
export function partitionNumber(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('A partition is a number from 0.')
  return Number(text)
}

const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A length of time such as `15m`, of an option, in ms. */
export function duration(text: string): number {
  const match = /^(\d{1,6})([smhd])$/.exec(text)
  if (!match) throw new InvalidArgumentError('A time is a number and s, m, h or d, such as 15m.')
  return Number(match[1]) * units[match[2] as keyof typeof units]
}

/** An address, of an option; without a slash at its end. */
export function webAddress(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw new InvalidArgumentError('An address such as http://127.0.0.1:3000 is needed.')
  return text.replace(/\/+$/, '')
}
