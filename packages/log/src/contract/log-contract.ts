import { afterAll, beforeAll, describe } from 'vitest'
import type { ClaimRegister } from '../claim-register.ts'
import type { ClaimStore } from '../claim-store.ts'
import type { EventLog } from '../event-log.ts'
import { describeAppending } from './appending.ts'
import { describeChannels } from './channels.ts'
import { describeClaiming } from './claiming.ts'
import { describeRebuilding } from './rebuilding.ts'
import { describeReading } from './reading.ts'

/** A log to put through the suite. */
export interface LogUnderTest {
  readonly log: EventLog & ClaimRegister & { readonly claims: ClaimStore }
  /** Length of its dedupe window, in ms. */
  readonly windowMs: number
  /** Turns its clock; also back. */
  advance(ms: number): void
  close(): Promise<void>
}

/** What every log must do, whatever it is made of. Call it in a test file of the adapter. */
export function describeLogContract(name: string, open: () => Promise<LogUnderTest>): void {
  describe(`the log contract on ${name}`, () => {
    let subject: LogUnderTest | undefined
    beforeAll(async () => {
      subject = await open()
    })
    afterAll(async () => subject?.close())
    const current = () => {
      if (!subject) throw new Error('The log under test is not open')
      return subject
    }
    describeAppending(current)
    describeClaiming(current)
    describeRebuilding(current)
    describeChannels(current)
    describeReading(current)
  })
}
