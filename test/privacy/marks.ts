import { createHash } from 'node:crypto'

/** A text that stands in every address, or in every password, of a run and nowhere else. */
export interface Mark {
  /** `address`, `password`, `password hash`, or the name of a secret. */
  readonly of: string
  readonly text: string
}

/** What the people of a run are known by; the demo makes its own people by the same seed with the same marks. */
export interface MarkedRun {
  readonly seed: string
  readonly marks: readonly Mark[]
  addressOf(name: string): string
  passwordOf(name: string): string
}

export function markedRun(seed: string): MarkedRun {
  const tag = createHash('sha256').update(seed).digest('hex').slice(0, 7)
  return {
    seed,
    marks: [
      // Correlation ids have the tag too, without a dot.
      { of: 'address', text: `.${tag}` },
      { of: 'password', text: `pass-${tag}` },
      { of: 'password hash', text: '$argon2id$v=' },
    ],
    addressOf: (name) => `${name}.${tag}@example.org`,
    passwordOf: (name) => `pass-${tag} ${name} horse`,
  }
}

/** Which marks stand in a text, in any case, as they are or in base64. */
export function marksIn(text: string, marks: readonly Mark[]): readonly string[] {
  const lower = text.toLowerCase()
  return marks
    .filter(({ text: mark }) => lower.includes(mark.toLowerCase()) || inBase64(text, mark))
    .map(({ of }) => of)
}

/** A text in base64 looks different by where in it the mark begins; its ends mix with what is around. */
function inBase64(text: string, mark: string): boolean {
  return [0, 1, 2].some((before) => {
    const coded = Buffer.from(' '.repeat(before) + mark).toString('base64url')
    const from = before === 0 ? 0 : before + 1
    const whole = coded.slice(from, Math.floor(((before + mark.length) * 8) / 6))
    return text.replaceAll('+', '-').replaceAll('/', '_').includes(whole)
  })
}
