import { MillraceError } from '@millrace/event'
import { readerOf, type ValueReader } from './values.ts'

/** A column of a table as the stream describes it. */
interface Column {
  readonly name: string
  /** Part of the replica identity. */
  readonly isKey: boolean
  readonly read: ValueReader
}

/** A table as the stream describes it, before the first change and after each change of its columns. */
export interface Relation {
  readonly table: string
  readonly columns: readonly Column[]
}

/** A row as the stream tells it: `unchanged` are large values that an update left alone. */
export interface Tuple {
  readonly row: Readonly<Record<string, unknown>>
  readonly unchanged: readonly string[]
}

/** The messages of pgoutput, protocol version 1. */
export type Message =
  | { readonly tag: 'begin'; readonly lsn: bigint; readonly committedAt: string; readonly xid: number }
  | { readonly tag: 'commit'; readonly end: bigint }
  | { readonly tag: 'insert'; readonly relation: Relation; readonly after: Tuple }
  | { readonly tag: 'update'; readonly relation: Relation; readonly before?: Tuple; readonly after: Tuple }
  | { readonly tag: 'delete'; readonly relation: Relation; readonly before: Tuple }
  | { readonly tag: 'truncate'; readonly relations: readonly Relation[] }
  | {
      readonly tag: 'message'
      readonly prefix: string
      readonly content: string
      readonly inTransaction: boolean
    }
  | { readonly tag: 'other' }

/** Microseconds from 1970 to 2000, where PostgreSQL's time begins. */
const epochMicros = 946_684_800_000_000n

/**
 * Reads the messages of the output plugin `pgoutput`
 * (https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html). It remembers the tables that were
 * described, so one decoder reads one connection from its beginning.
 */
export class PgoutputDecoder {
  readonly #relations = new Map<number, Relation>()

  /** @throws MillraceError `stream.mapping` for what it does not know */
  decode(bytes: Buffer): Message {
    const cursor = new Cursor(bytes)
    const tag = cursor.char()
    switch (tag) {
      case 'B':
        return { tag: 'begin', lsn: cursor.long(), committedAt: isoOf(cursor.long()), xid: cursor.int() }
      case 'C':
        cursor.skip(9)
        return { tag: 'commit', end: cursor.long() }
      case 'R':
        this.#describe(cursor)
        return { tag: 'other' }
      case 'I': {
        const relation = this.#relation(cursor)
        cursor.skip(1)
        return { tag: 'insert', relation, after: cursor.tuple(relation) }
      }
      case 'U':
        return this.#update(cursor)
      case 'D': {
        const relation = this.#relation(cursor)
        const keyAlone = cursor.char() === 'K'
        return { tag: 'delete', relation, before: cursor.tuple(relation, keyAlone) }
      }
      case 'T': {
        const count = cursor.int()
        cursor.skip(1)
        return { tag: 'truncate', relations: Array.from({ length: count }, () => this.#relation(cursor)) }
      }
      case 'M': {
        const inTransaction = (cursor.byte() & 1) === 1
        cursor.skip(8)
        return { tag: 'message', inTransaction, prefix: cursor.text(), content: cursor.sized() }
      }
      case 'O':
      case 'Y':
        return { tag: 'other' }
      default:
        throw new MillraceError('stream.mapping', `The stream has a message of the unknown kind "${tag}"`)
    }
  }

  #update(cursor: Cursor): Message {
    const relation = this.#relation(cursor)
    const kind = cursor.char()
    if (kind === 'N') return { tag: 'update', relation, after: cursor.tuple(relation) }
    const before = cursor.tuple(relation, kind === 'K')
    cursor.skip(1)
    const after = cursor.tuple(relation)
    // With REPLICA IDENTITY FULL the old row has what the new one does not repeat.
    const known = kind === 'O' ? after.unchanged.filter((name) => name in before.row) : []
    if (known.length === 0) return { tag: 'update', relation, before, after }
    const row: Record<string, unknown> = {}
    for (const { name } of relation.columns)
      if (name in after.row || known.includes(name))
        row[name] = name in after.row ? after.row[name] : before.row[name]
    const unchanged = after.unchanged.filter((name) => !known.includes(name))
    return { tag: 'update', relation, before, after: { row, unchanged } }
  }

  #describe(cursor: Cursor): void {
    const id = cursor.int()
    const schema = cursor.text()
    const table = `${schema === '' ? 'pg_catalog' : schema}.${cursor.text()}`
    cursor.skip(1)
    const columns = Array.from({ length: cursor.short() }, (): Column => {
      const isKey = (cursor.byte() & 1) === 1
      const name = cursor.text()
      const read = readerOf(cursor.int())
      cursor.skip(4)
      return { name, isKey, read }
    })
    this.#relations.set(id, { table, columns })
  }

  #relation(cursor: Cursor): Relation {
    const relation = this.#relations.get(cursor.int())
    if (!relation)
      throw new MillraceError('stream.mapping', 'The stream has a table that it did not describe')
    return relation
  }
}

function isoOf(micros: bigint): string {
  return new Date(Number((micros + epochMicros) / 1_000n)).toISOString()
}

/** Reads a message from its beginning to its end. */
class Cursor {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  skip(count: number): void {
    this.#at += count
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#at++)
  }

  char(): string {
    return String.fromCharCode(this.byte())
  }

  short(): number {
    this.#at += 2
    return this.#bytes.readUInt16BE(this.#at - 2)
  }

  int(): number {
    this.#at += 4
    return this.#bytes.readUInt32BE(this.#at - 4)
  }

  long(): bigint {
    this.#at += 8
    return this.#bytes.readBigUInt64BE(this.#at - 8)
  }

  /** A text that ends with a zero. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.#at)
    const text = this.#bytes.toString('utf8', this.#at, end)
    this.#at = end + 1
    return text
  }

  /** A text that begins with its length. */
  sized(): string {
    const length = this.int()
    this.#at += length
    return this.#bytes.toString('utf8', this.#at - length, this.#at)
  }

  /** A row; of one that holds the key alone, the other columns, which are sent as null, are left out. */
  tuple({ columns }: Relation, keyAlone = false): Tuple {
    const row: Record<string, unknown> = {}
    const unchanged: string[] = []
    const count = this.short()
    for (let at = 0; at < count; at++) {
      const { name, isKey, read } = columns[at] as Column
      const kind = this.char()
      if (kind === 'u') unchanged.push(name)
      else if (kind === 't') row[name] = read(this.sized())
      else if (!keyAlone || isKey) row[name] = null
    }
    return { row, unchanged }
  }
}
