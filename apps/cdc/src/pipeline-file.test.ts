import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { readPipelines } from './pipeline-file.ts'

const good = `
topics:
  restocking: { partitions: 8 }
pipelines:
  - name: purchasing
    database: \${PURCHASING_URL}
    tables:
      - table: public.purchase_orders
        topic: restocking
        key: order-{id}
        events: PurchaseOrder
        columns: [id, status]
        where: status <> 'draft'
      - outbox: public.outbox
        topic: restocking
        types: [OrderPlaced]
`

test('a file names databases by variables, tables with filters and columns, topics and types', () => {
  const [one] = readPipelines(good, { PURCHASING_URL: 'postgres://db/purchasing' })
  expect(one).toMatchObject({
    name: 'purchasing',
    database: 'postgres://db/purchasing',
    tables: [
      { table: 'public.purchase_orders', where: `status <> 'draft'`, columns: ['id', 'status'] },
      { table: 'public.outbox' },
    ],
  })
  const topic = one?.mappings[0]?.topic
  expect(topic?.partitions).toBe(8)
  expect(Object.keys(topic?.types ?? {})).toEqual([
    'PurchaseOrderInserted',
    'PurchaseOrderUpdated',
    'PurchaseOrderDeleted',
    'PurchaseOrderSnapshot',
    'OrderPlaced',
  ])
})

test('all mistakes are told at once', () => {
  const told = (text: string): string => {
    try {
      readPipelines(text, {})
      return ''
    } catch (error) {
      return (error as Error).message
    }
  }
  const wrong = good
    .replace('name: purchasing', 'name: Purchasing!')
    .replace('public.outbox', 'outbox')
    .replace('key: order-{id}', 'keys: id')
  const message = told(wrong)
  for (const part of ['pipelines.0.name', 'pipelines.0.tables.0', 'pipelines.0.tables.1'])
    expect(message).toContain(part)
  const apart = told(
    good
      .replace('topic: restocking\n        key', 'topic: elsewhere\n        key')
      .replace('public.outbox', 'public.purchase_orders'),
  )
  expect(apart).toContain('the variable PURCHASING_URL is not set')
  expect(apart).toContain('the topic elsewhere')
  expect(apart).toContain('public.purchase_orders is there twice')
  expect(told('a: [')).toContain('YAML')
})

test.each([
  ['an address that is none', good, 'postgres://ada:hunter2@host:port/db'],
  ['another kind of address', good, 'mysql://ada:hunter2@host/db'],
  ['a file that is no YAML', `${good}  - database: "postgres://ada:hunter2@host/db\n`, 'postgres://host/db'],
])('%s is a mistake that is told without its password', (_, text, database) => {
  let told = ''
  try {
    readPipelines(text, { PURCHASING_URL: database })
  } catch (error) {
    told = inspect(error)
  }
  expect(told).toMatch(
    /purchasing\.database: must be an address|cannot be read as YAML: .* \(line \d+, column \d+\)/,
  )
  expect(told).not.toContain('hunter2')
})

test('a topic that is not declared is a mistake, whatever it is called', () => {
  const text = good.replaceAll('topic: restocking', 'topic: constructor')
  expect(() => readPipelines(text, { PURCHASING_URL: 'postgres://db/purchasing' })).toThrow(
    'the topic constructor of public.outbox is not declared',
  )
})
