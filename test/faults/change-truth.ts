import type { openPool } from '@millrace/postgres'
import { tables } from './change-tables.ts'

type Pool = ReturnType<typeof openPool>

/** A change as the database tells it to somebody else: by another slot, another plugin, and no code of ours. */
export interface TrueChange {
  readonly kind: string
  readonly table: string
  readonly id: string
  readonly op: string | undefined
  /** Undefined: an update left it alone. */
  readonly body: string | undefined
}

const slot = 'faults_truth'

/** Begins to remember everything that is committed. */
export async function beginTruth(pool: Pool): Promise<void> {
  await pool.query(`SELECT pg_create_logical_replication_slot($1, 'test_decoding')`, [slot])
}

/** All changes of the tables of the pipeline, in the order of their commits. */
export async function readTruth(pool: Pool): Promise<readonly TrueChange[]> {
  const all: TrueChange[] = []
  for (;;) {
    const { rows } = await pool.query<{ data: string }>(
      `SELECT data FROM pg_logical_slot_get_changes($1, NULL, 5000, 'include-xids', '0')`,
      [slot],
    )
    if (rows.length === 0) return all
    for (const { data } of rows) {
      all.push(...parsed(data))
    }
  }
}

const line = /^table (\S+): (INSERT|UPDATE|DELETE): (?:old-key: (.*?) new-tuple: )?(.*)$/s
const field = /(\w+)\[[^\]]+\]:('(?:[^']|'')*'|[^ ]+)/g

function parsed(text: string): readonly TrueChange[] {
  const [, table = '', kind = '', old, fresh = ''] = line.exec(text) ?? []
  if (!tables.some((one) => one === table)) return []
  const values = fieldsOf(fresh)
  const [id, body] = [values.get('id') ?? '', values.get('body')]
  const told = body === 'unchanged-toast-datum' ? undefined : body
  const change = { kind: kind.toLowerCase(), table, id, op: values.get('op'), body: told }
  const from = old === undefined ? undefined : fieldsOf(old).get('id')
  if (from === undefined) return [change]
  return [{ kind: 'delete', table, id: from, op: undefined, body: undefined }, change]
}

function fieldsOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(field)].map(([, name = '', value = '']) => [name, value.replace(/^'|'$/g, '')]),
  )
}
