import { maskAddress } from '@millrace/service'

const secret = /password|passwd|hash|secret|token/i

/**
 * An event's data as an operator may see it: addresses by their first letter and host, other texts by their first
 * letter, secrets not at all. Numbers, dates and the shape stay.
 */
export function maskedData(data: unknown, name = ''): unknown {
  if (typeof data === 'string') return maskedText(data, name)
  if (Array.isArray(data)) return data.map((one) => maskedData(one, name))
  if (typeof data !== 'object' || data === null) return data
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, maskedData(value, key)]))
}

function maskedText(text: string, name: string): string {
  if (secret.test(name)) return '***'
  if (text.includes('@')) return maskAddress(text)
  if (/^\d{4}-\d{2}-\d{2}/.test(text)) return text
  const [first = ''] = text
  return text === '' ? '' : `${first}***`
}
