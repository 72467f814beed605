import { MillraceError } from '@millrace/event'
import { type AppendUnit, prepare, type Prepared } from '@millrace/log'
import { claim, unit } from '@millrace/log/contract'
import { CreateAppender } from '../../packages/redis/src/append-creates.ts'
import { Keys } from '../../packages/redis/src/keys.ts'
import { Script } from '../../packages/redis/src/script.ts'
import { AppendLab, packing, windowMs } from './append-lab.ts'

/** The script that appends creates, on a topic with one partition that the append script writes to as well. */
export class CreateLab {
  readonly lab: AppendLab
  readonly #creates: CreateAppender

  private constructor(lab: AppendLab, source: string | undefined) {
    this.lab = lab
    this.#creates = new CreateAppender(
      lab.redis,
      new Keys(),
      {
        dedupeWindowMs: windowMs,
        dedupeIds: 1_000,
        packEvents: packing.events,
        packBytes: packing.bytes,
        now: () => lab.now,
      },
      source === undefined ? undefined : new Script('append-creates.lua', source),
    )
  }

  /** @param source Text of the script. Default: as it is. */
  static async open(url: string, source?: string): Promise<CreateLab> {
    const lab = await AppendLab.open(url)
    if (source !== undefined) await lab.redis.script('LOAD', source)
    const opened = new CreateLab(lab, source)
    // Which versions of the keyring are live is settled by the first claim of a topic.
    await lab.append(unit(lab.topic, 'first', { claims: [claim('claim', 'first')] }))
    return opened
  }

  close(): void {
    this.lab.close()
  }

  /** A create of this key that claims this value. */
  create(
    key: string,
    value: string,
    extra: { readonly id?: string; readonly data?: unknown } = {},
  ): AppendUnit {
    return unit(this.lab.topic, key, { ...extra, expectedVersion: 0, claims: [claim('claim', value)] })
  }

  /** Runs the script once. For each unit its version, or `left`. */
  async run(version: string, ...units: readonly AppendUnit[]): Promise<readonly (number | 'left')[]> {
    const prepared = units.map((one) => prepare(this.lab.topic, one))
    for (const one of prepared) if (one instanceof MillraceError) throw one
    const parts = [{ partition: 0, units: prepared as readonly Prepared[] }]
    const [results = []] = await this.#creates.parts(this.lab.topic, parts, { constraint: 'email', version })
    return results.map((result) => (result?.status === 'appended' ? result.version : 'left'))
  }

  /** The same under the live version of the keyring. */
  creates(...units: readonly AppendUnit[]): Promise<readonly (number | 'left')[]> {
    return this.run('1', ...units)
  }
}
