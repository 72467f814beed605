/** A body that no sign-up may come of, and how it must be refused. */
export interface BadInput {
  /** What is wrong, for the table. */
  readonly reason: string
  readonly status: number
  /** Fields that the answer must name, sorted; none where the body cannot be read at all. */
  readonly fields: readonly string[]
  readonly contentType?: string
  /** The body; `good` is one that would be taken. */
  readonly body: (good: GoodBody) => string
}

/** A body that is in order. */
interface GoodBody {
  readonly username: string
  readonly email: string
  readonly password: string
}

const field = (reason: string, name: keyof GoodBody, value: unknown): BadInput => ({
  reason,
  status: 400,
  fields: [name],
  body: (good) => JSON.stringify({ ...good, [name]: value }),
})

const unreadable = (reason: string, body: (good: GoodBody) => string): BadInput => ({
  reason,
  status: 400,
  fields: [],
  body,
})

/** Mistakes that people and programs make. */
export const badInputs: readonly BadInput[] = [
  field('username', 'username', '   '),
  field('username', 'username', 42),
  field('username', 'username', 'x'.repeat(65)),
  field('username', 'username', undefined),
  field('address', 'email', ''),
  field('address', 'email', 'nobody.example.org'),
  field('address', 'email', 'nobody@localhost'),
  field('address', 'email', '"quoted name"@example.org'),
  field('address', 'email', 'name(comment)@example.org'),
  field('address', 'email', 'name@[192.0.2.1]'),
  field('address', 'email', 'name@192.0.2.1'),
  field('address', 'email', 'two..dots@example.org'),
  field('address', 'email', 'be\u0007ll@example.org'),
  field('address', 'email', `${'l'.repeat(65)}@example.org`),
  field('address', 'email', `name@${'h'.repeat(64)}.example.org`),
  field('address', 'email', null),
  field('password', 'password', ''),
  field('password', 'password', 'short'),
  field('password', 'password', 'p'.repeat(1_025)),
  {
    reason: 'several fields',
    status: 400,
    fields: ['email', 'password', 'username'],
    body: () => JSON.stringify({ username: '', email: 'x', password: '' }),
  },
  {
    reason: 'unknown field',
    status: 400,
    fields: ['admin'],
    body: (good) => JSON.stringify({ ...good, admin: true }),
  },
  unreadable('not readable', (good) => JSON.stringify(good).slice(0, -5)),
  unreadable('not readable', (good) => JSON.stringify(good).replace('"username":"', '"username":"\\ud800')),
  unreadable('not readable', (good) => JSON.stringify(good).replace('"username":"', '"username":"\\u0000')),
  unreadable('not readable', (good) => JSON.stringify(good).replace('{', '{"__proto__":{"admin":true},')),
  unreadable('not readable', () => '['.repeat(200) + ']'.repeat(200)),
  {
    reason: 'wrong media type',
    status: 415,
    fields: [],
    contentType: 'text/plain',
    body: (good) => JSON.stringify(good),
  },
  {
    reason: 'too large',
    status: 413,
    fields: [],
    body: (good) => JSON.stringify({ ...good, username: 'x'.repeat(300_000) }),
  },
]
