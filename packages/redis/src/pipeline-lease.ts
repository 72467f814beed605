import { randomBytes } from 'node:crypto'
import type { LeaseAnswer, LeaseRequest } from '@millrace/source'
import type { Redis } from 'ioredis'
import { Script } from './script.ts'

const leaseScript = new Script('pipeline-lease.lua')

/** Calls of the script for one pipeline. */
export class PipelineLease {
  readonly #redis: Redis
  readonly #now: () => number | undefined
  readonly #script: Script

  constructor(redis: Redis, now: () => number | undefined = () => undefined, script = leaseScript) {
    this.#redis = redis
    this.#now = now
    this.#script = script
  }

  async take(
    key: string,
    { holder, leaseMs, above = 0 }: Omit<LeaseRequest, 'pipeline'>,
  ): Promise<LeaseAnswer> {
    const nonce = randomBytes(8).toString('hex')
    const reply = (await this.#run(key, ['take', leaseMs, holder, nonce, above])) as
      | readonly ['leased', string]
      | readonly ['held', string, string]
    return reply[0] === 'leased'
      ? { status: 'leased', token: reply[1] }
      : { status: 'held', holder: reply[1], leftMs: Number(reply[2]) }
  }

  /** The record's fields and values, one after the other; nothing when another one has taken over. */
  async renew(
    key: string,
    token: string,
    leaseMs: number,
    status: string,
  ): Promise<readonly string[] | undefined> {
    const reply = (await this.#run(key, ['renew', leaseMs, token, status, 0])) as
      | readonly ['renewed', readonly string[]]
      | readonly ['lost']
    return reply[0] === 'renewed' ? reply[1] : undefined
  }

  async release(key: string, token: string, status: string): Promise<void> {
    await this.#run(key, ['release', 0, token, status, 0])
  }

  #run(key: string, args: readonly (string | number)[]): Promise<unknown> {
    return this.#script.run(this.#redis, [key], [...args, this.#now() ?? ''])
  }
}
