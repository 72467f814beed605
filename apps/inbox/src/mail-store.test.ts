import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MailStore } from './mail-store.ts'

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'millrace-inbox-'))
})
afterEach(() => rm(dir, { recursive: true }))

async function opened(limits = { maxMails: 100, maxTotalBytes: 1_000_000 }): Promise<MailStore> {
  const store = new MailStore(dir, limits)
  await store.open()
  return store
}

const envelope = { from: 'hello@millrace.test', to: ['jane@example.test', 'josé@bücher.example'] }
const raw = (subject: string) =>
  Buffer.from(`Subject: ${subject}\r\nMessage-ID: <${subject}@m>\r\n\r\nHello\r\n`)

test('what was kept is found again by the next start, byte for byte and in its order', async () => {
  const first = await opened()
  const names = Array.from({ length: 30 }, (_, n) => `mail-${n}`)
  const kept = await Promise.all(names.map((name) => first.add(envelope, raw(name))))
  const second = await opened()
  expect(second.mails).toEqual(kept)
  expect(second.mails.map(({ subject }) => subject)).toEqual(names)
  expect(second.mails[0]).toMatchObject({
    ...envelope,
    messageId: '<mail-0@m>',
    size: raw('mail-0').byteLength,
  })
  expect((await second.read(kept[7]?.id ?? ''))?.raw).toEqual(raw('mail-7'))
  expect(second.bytes).toBe(first.bytes)
  expect([first.received, second.received]).toEqual([30, 0])
})

test('the oldest are removed beyond the number and beyond the bytes', async () => {
  const store = await opened({ maxMails: 3, maxTotalBytes: 1_000_000 })
  for (const name of ['a', 'b', 'c', 'd', 'e']) await store.add(envelope, raw(name))
  expect(store.mails.map(({ subject }) => subject)).toEqual(['c', 'd', 'e'])
  expect(await readdir(dir)).toHaveLength(3)
  const narrow = await opened({ maxMails: 3, maxTotalBytes: raw('x').byteLength * 2 })
  expect(narrow.mails.map(({ subject }) => subject)).toEqual(['d', 'e'])
  await narrow.add(envelope, Buffer.alloc(10_000, 'x'))
  expect(narrow.mails).toHaveLength(1)
})

test('half-written files of a killed process go, files of others stay', async () => {
  const store = await opened()
  const { id } = await store.add(envelope, raw('a'))
  await writeFile(join(dir, `.${id}.tmp`), 'half')
  await writeFile(join(dir, 'notes.txt'), 'mine')
  await writeFile(join(dir, '01890a5d-ac96-774b-bcce-b302099a8057.eml'), 'not written by an inbox')
  const again = await opened()
  expect(again.mails.map((mail) => mail.id)).toEqual([id])
  expect((await readdir(dir)).toSorted()).toEqual([
    '01890a5d-ac96-774b-bcce-b302099a8057.eml',
    `${id}.eml`,
    'notes.txt',
  ])
})

test('any bytes are a mail', async () => {
  const store = await opened()
  const odd = [
    Buffer.alloc(0),
    Buffer.from([0, 255, 254, 13, 10, 13, 10, 200]),
    Buffer.from('X-Inbox-Id: forged\r\nReturn-Path: <x>\r\n\r\n'),
    Buffer.from('no headers at all'),
  ]
  for (const each of odd) await store.add({ from: '', to: ['a\r\nReturn-Path: <evil>'] }, each)
  const again = await opened()
  for (const [n, each] of odd.entries())
    expect((await again.read(again.mails[n]?.id ?? ''))?.raw).toEqual(each)
  expect(again.mails.map(({ to }) => to)).toEqual(odd.map(() => ['a  Return-Path: <evil>']))
})

test('a mail that cannot be written fails alone', async () => {
  const store = await opened()
  await rm(dir, { recursive: true })
  await expect(store.add(envelope, raw('lost'))).rejects.toMatchObject({ code: 'ENOENT' })
  await opened()
  await store.add(envelope, raw('kept'))
  expect(store.mails.map(({ subject }) => subject)).toEqual(['kept'])
})

test('clearing removes the files and says how many', async () => {
  const store = await opened()
  for (const name of ['a', 'b']) await store.add(envelope, raw(name))
  let changes = 0
  const forget = store.onChange(() => (changes += 1))
  expect(await store.clear()).toBe(2)
  forget()
  expect(await store.clear()).toBe(0)
  expect(changes).toBe(1)
  expect([store.bytes, await readdir(dir)]).toEqual([0, []])
  expect(await store.read('01890a5d-ac96-774b-bcce-b302099a8057')).toBeUndefined()
})
