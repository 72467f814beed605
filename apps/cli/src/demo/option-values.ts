import { InvalidArgumentError } from 'commander'

/** A whole number from 1, of an option. */
export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('A whole number from 1 is needed.')
  return Number(text)
}

/** An address, of an option; without a slash at its end. */
export function webAddress(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw new InvalidArgumentError('An address such as http://127.0.0.1:3000 is needed.')
  return text.replace(/\/+$/, '')
}
