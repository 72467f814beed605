import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { scriptSource } from './script-source.ts'

/** A Lua script, called by its digest and loaded again where the server has lost it. */
export class Script {
  readonly #source: string
  readonly #sha: string

  /**
   * @param file Name of a `.lua` file beside this module.
   * @param source Its text. Default: as the file says; tests give another one.
   */
  constructor(file: string, source = scriptSource(file)) {
    this.#source = source
    this.#sha = createHash('sha1').update(source).digest('hex')
  }

  async run(redis: Redis, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await redis.evalsha(this.#sha, keys.length, ...keys, ...args)
    } catch (error) {
      // NOSCRIPT is an answer: nothing ran, so sending it again is no repetition.
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return await redis.eval(this.#source, keys.length, ...keys, ...args)
    }
  }
}
