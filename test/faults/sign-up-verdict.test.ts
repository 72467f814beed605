import { expect, test } from 'vitest'
import { missingKills, victims } from './sign-up-report.ts'
import { answerFaults, type LoggedAccount } from './sign-up-verdict.ts'
import type { Visitor } from './visitors.ts'

const visitor = (email: string, status: number, id?: string): Visitor => ({
  ...{ n: 0, key: 'k', password: 'p', attempts: 1, ms: 1, email, status },
  ...(id === undefined ? {} : { id }),
})
const account = (id: string, email: string): LoggedAccount => ({
  id,
  email,
  eventId: id,
  partition: 0,
  seq: 1,
})

test('planted: a lost account, one too many, one that nobody was told of, and a wrong answer are found', () => {
  const visitors = [visitor('a@x.org', 201, '1'), visitor('A@X.ORG', 409), visitor('b@x.org', 201, '2')]
  const good = [account('1', 'a@x.org'), account('2', 'b@x.org')]
  expect(answerFaults(visitors, good)).toEqual([])
  expect(answerFaults(visitors, good.slice(1))).toHaveLength(2)
  expect(answerFaults(visitors, [...good, account('3', 'A@x.org')])).toHaveLength(2)
  expect(answerFaults([visitor('a@x.org', 409)], good.slice(0, 1))).toHaveLength(1)
  expect(answerFaults(visitors, [account('9', 'a@x.org'), account('2', 'b@x.org')])).toHaveLength(1)
})

test('planted: a service that was not killed, or had nothing to do, proves nothing', () => {
  const kills = victims.map((service) => ({ service, pid: 1, settled: 5, inFlight: 3, unsettled: undefined }))
  expect(missingKills(kills)).toEqual([])
  expect(missingKills(kills.slice(1))).toEqual(['nothing proven: gateway was never killed'])
  const idle = { service: 'mail', pid: 1, settled: 5, inFlight: 3, unsettled: 0 }
  expect(missingKills([...kills, idle])).toHaveLength(1)
})
