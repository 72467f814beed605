import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { run } from '@millrace-app/cli'
import { accounts } from '@millrace/accounts'
import type { GroupStore } from '@millrace/processor'
import type { RedisLog } from '@millrace/redis'
import type { WholeSystem } from '../support/whole-system.ts'
import type { Visitor } from './visitors.ts'

/** An account as the log has it. */
export interface LoggedAccount {
  readonly id: string
  readonly email: string
  readonly eventId: string
  readonly partition: number
  readonly seq: number
}

const pageEvents = 500
const pollMs = 100
/** Longer than a killed process holds its partitions, and than the supervisor waits before it starts it again. */
const patienceMs = 90_000

/** Every event of the accounts: the accounts that were created, and how many events there are. */
export async function accountsOnLog(
  log: RedisLog,
): Promise<{ readonly created: readonly LoggedAccount[]; readonly events: number }> {
  const created: LoggedAccount[] = []
  let events = 0
  const after = new Map(Array.from({ length: accounts.partitions }, (_, at) => [at, '0-0']))
  for (;;) {
    const pages = await log.read(accounts, after, { limit: pageEvents })
    if (pages.size === 0) return { created, events }
    for (const [partition, page] of pages) {
      events += page.length
      for (const { event, position } of page) {
        after.set(partition, position.id)
        const { email } = event.data as { readonly email: string }
        const { subject: id, id: eventId } = event
        if (event.type === 'AccountCreated')
          created.push({ id, email, eventId, partition, seq: position.seq })
      }
    }
  }
}

/** Where the answers and the log differ. */
export function answerFaults(
  visitors: readonly Visitor[],
  created: readonly LoggedAccount[],
): readonly string[] {
  const wrong: string[] = []
  const addresses = new Set(visitors.map(({ email }) => email.toLowerCase()))
  if (created.length !== addresses.size)
    wrong.push(`${created.length} accounts on the log for ${addresses.size} addresses`)
  const owners = Map.groupBy(created, ({ email }) => email.toLowerCase())
  const told = Map.groupBy(
    visitors.filter(({ status }) => status === 201),
    ({ email }) => email.toLowerCase(),
  )
  for (const address of addresses) {
    const ids = owners.get(address)?.map(({ id }) => id) ?? []
    const answers = told.get(address)?.map(({ id }) => id) ?? []
    if (ids.length !== 1 || answers.length !== 1 || ids[0] !== answers[0])
      wrong.push(`${address}: on the log ${ids.join(' ') || 'nobody'}, told ${answers.join(' ') || 'nobody'}`)
  }
  return wrong
}

/** A mail as the inbox lists it. */
interface ListedMail {
  readonly id: string
  readonly to: readonly string[]
  readonly messageId: string
}

/** Mails by account, and what is wrong with them. */
export interface MailFinding {
  readonly mails: number
  readonly repeated: number
  readonly wrong: readonly string[]
}

/** Waits until the mail group has settled everything, then looks at the whole inbox. */
export async function mailFaults(
  system: WholeSystem,
  log: RedisLog,
  groups: GroupStore,
  created: readonly LoggedAccount[],
): Promise<MailFinding> {
  const wrong: string[] = []
  const deadline = Date.now() + patienceMs
  let open = await unsettled(log, groups, 'mail')
  for (; open > 0 && Date.now() < deadline; open = await unsettled(log, groups, 'mail')) await delay(pollMs)
  if (open > 0) wrong.push(`mail has not settled ${open} events after ${patienceMs / 1_000} s`)
  const mails = await allMails(system)
  // SMTP may change the case of an address on its way.
  const byAddress = Map.groupBy(mails, ({ to }) => to.join().toLowerCase())
  for (const { email, eventId } of created) {
    const ids = new Set(byAddress.get(email.toLowerCase())?.map(({ messageId }) => messageId))
    if (ids.size === 0) wrong.push(`${email} has no mail`)
    else if (ids.size > 1 || ![...ids].join().includes(eventId))
      wrong.push(`${email} has mails with the ids ${[...ids].join(' ')}, its event is ${eventId}`)
  }
  if (byAddress.size > created.length) wrong.push(`${byAddress.size} addresses have mails`)
  return { mails: mails.length, repeated: mails.length - byAddress.size, wrong }
}

async function allMails(system: WholeSystem): Promise<readonly ListedMail[]> {
  const mails: ListedMail[] = []
  for (let after: string | null = ''; after !== null;) {
    const query = new URLSearchParams({ limit: '1000', ...(after === '' ? {} : { after }) })
    const answer = await fetch(`${system.urlOf('INBOX')}/api/mails?${query.toString()}`)
    const page = (await answer.json()) as { mails: readonly ListedMail[]; next: string | null }
    mails.push(...page.mails)
    after = page.next
  }
  return mails
}

/** Events that a group has not settled. */
export async function unsettled(log: RedisLog, groups: GroupStore, group: string): Promise<number> {
  const tips = await log.tips(accounts)
  const open = await Promise.all(
    tips.map(async ({ partition, seq }) => {
      const { position, ahead } = await groups.look({ topic: accounts, partition, group })
      return seq - position.seq - ahead.length
    }),
  )
  return open.reduce((sum, one) => sum + one, 0)
}

/** Dead letters of the groups: there should be none. */
export async function deadFaults(groups: GroupStore): Promise<readonly string[]> {
  const found: string[] = []
  for (const group of ['mail', 'user-query'])
    for (let partition = 0; partition < accounts.partitions; partition += 1)
      for (const letter of await groups.deadLetters({ topic: accounts, partition, group }))
        found.push(`dead letter of ${group}: ${letter.reason} ${letter.message}`)
  return found
}

/** What `millrace uniq verify` finds. */
export async function claimFaults(system: WholeSystem): Promise<readonly string[]> {
  const [out, err] = [new PassThrough(), new PassThrough()]
  const texts = Promise.all([text(out), text(err)])
  const code = await run(['uniq', 'verify', '--json'], {
    env: { MILLRACE_HOME: system.home },
    in: Readable.from([]),
    out,
    err,
    signal: new AbortController().signal,
  })
  out.end()
  err.end()
  const [said, complaint] = await texts
  return code === 0 ? [] : [`millrace uniq verify ended with ${code}: ${said}${complaint}`]
}
