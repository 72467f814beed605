import { z } from 'zod'

/** What a message may say about a setting. */
interface SettingHints {
  readonly example?: string
  /** Whether its value may be repeated in a message. */
  readonly shown: boolean
}

const hints = z.registry<SettingHints>()

/** Hints of a setting, also of one that was made optional or given a default afterwards. */
export function hintsOf(schema: unknown): SettingHints {
  for (let at = schema; at instanceof z.ZodType;) {
    const found = hints.get(at)
    if (found) return found
    at = 'innerType' in at.def ? at.def.innerType : undefined
  }
  return { shown: false }
}

/** A TCP port; 0 takes any free one. */
export function port(defaultPort: number) {
  return z
    .string()
    .regex(/^\d{1,5}$/, 'must be a port from 0 to 65535')
    .transform(Number)
    .refine((value) => value <= 65_535, 'must be a port from 0 to 65535')
    .default(defaultPort)
    .register(hints, { example: String(defaultPort), shown: true })
}

/** A URL with one of these protocols, such as `['redis', 'rediss']`. It may hold a password: it is never shown. */
export function url(protocols: readonly string[], example: string) {
  const among = protocols.map((protocol) => `${protocol}://`).join(' or ')
  return z
    .string()
    .refine(
      (text) => URL.canParse(text) && protocols.includes(new URL(text).protocol.slice(0, -1)),
      `must be a URL with ${among}`,
    )
    .register(hints, { example, shown: false })
}

const unitsOfTime: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** A span of time: `500ms`, `2s`, `5m`, `1h`, `1d`, or a number of milliseconds. Gives milliseconds. */
export function durationMs(defaultMs: number) {
  return quantity(defaultMs, unitsOfTime, 'ms', 'must be a span of time such as 500ms, 2s, 5m or 1h', '2s')
}

const unitsOfSize: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1_000,
  mb: 1_000_000,
  gb: 1e9,
  kib: 1_024,
  mib: 1_048_576,
  gib: 1_073_741_824,
}

/** A size: `64KiB`, `10MB`, or a number of bytes. Gives bytes. */
export function bytes(defaultBytes: number) {
  return quantity(defaultBytes, unitsOfSize, 'b', 'must be a size such as 65536, 64KiB or 10MB', '64KiB')
}

function quantity(
  preset: number,
  units: Readonly<Record<string, number>>,
  plain: string,
  message: string,
  example: string,
) {
  const parse = (text: string): number => {
    const [, amount = '', unit = ''] = /^(\d{1,15}(?:\.\d{1,6})?)\s*([a-z]*)$/i.exec(text) ?? []
    return Math.round(Number(amount || NaN) * (units[unit.toLowerCase() || plain] ?? NaN))
  }
  return z
    .string()
    .transform(parse)
    .refine((value) => Number.isSafeInteger(value), message)
    .default(preset)
    .register(hints, { example, shown: true })
}

/**
 * A secret; its value never stands in a message. At least `minLength` characters, default 16; `mistake` says what
 * else is wrong with it, without showing it.
 */
export function secret(
  options: {
    readonly minLength?: number
    readonly example?: string
    readonly mistake?: (text: string) => string | undefined
  } = {},
) {
  const { minLength = 16, example = '<a long random text>', mistake = () => undefined } = options
  return z
    .string()
    .superRefine((text, context) => {
      const short = text.length < minLength ? `must have at least ${minLength} characters` : undefined
      const message = mistake(text) ?? short
      if (message !== undefined) context.addIssue({ code: 'custom', message })
    })
    .register(hints, { example, shown: false })
}

/** Values with commas between them. An empty list is the default. */
export function list(example: string) {
  return z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== ''),
    )
    .default([])
    .register(hints, { example, shown: true })
}

/** One of a few words. */
export function choice<const Words extends readonly [string, ...string[]]>(
  words: Words,
  defaultWord: Words[number],
) {
  return z
    .enum(words, { error: `must be ${words.slice(0, -1).join(', ')} or ${words.at(-1)}` })
    .default(defaultWord as z.output<z.ZodEnum<{ [W in Words[number]]: W }>>)
    .register(hints, { example: defaultWord, shown: true })
}

/** A text, such as a host or a directory. */
export function text(options: {
  readonly example: string
  readonly pattern?: RegExp
  readonly what?: string
}) {
  return z
    .string()
    .regex(options.pattern ?? /^/, options.what ?? 'has the wrong form')
    .register(hints, { example: options.example, shown: true })
}
