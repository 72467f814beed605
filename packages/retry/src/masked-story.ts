import { maskAddress, maskText } from '@millrace/event'
import type { RetryStory } from './retry-clock.ts'

const mostMessage = 1_000
const mostStack = 4_000
const mostData = 4_000
const mostDepth = 8

/** A story as it may be shown and kept: bounded, and without addresses and secrets. */
export function maskedStory(story: RetryStory): RetryStory {
  const { error, stack, data, ...plain } = story
  return {
    ...plain,
    error: cut(maskText(error), mostMessage),
    ...(stack === undefined ? {} : { stack: cut(maskText(stack), mostStack) }),
    ...(data === undefined ? {} : { data: maskedData(data) }),
  }
}

/** A key as it may be shown: an address as such, everything else as it is unless it looks like a secret. */
export function maskedKey(key: string): string {
  return /^\S+@\S+$/.test(key) ? maskAddress(key) : maskText(key)
}

/** JSON with every text in it masked; what is too large or too deep is left out. */
export function maskedData(data: unknown): unknown {
  const masked = mask(data, 0)
  return (JSON.stringify(masked)?.length ?? 0) <= mostData ? masked : '(too large to show)'
}

/** Fields that are never shown, whatever they hold. */
const secretField = /password|passwd|secret|token|api[-_]?key|authorization|cookie|hash|credential/i

function mask(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cut(maskText(value), mostMessage)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= mostDepth) return '…'
  if (Array.isArray(value)) return value.slice(0, 100).map((one) => mask(one, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, secretField.test(name) ? '***' : mask(one, depth + 1)]),
  )
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`
}
