import { createHash } from 'node:crypto'
import { Command, type Redis } from 'ioredis'
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
    const call = [keys.length, ...keys, ...args]
    try {
      return await send(redis, 'evalsha', [this.#sha, ...call])
    } catch (error) {
      // NOSCRIPT is an answer: nothing ran, so sending it again is no repetition.
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return await send(redis, 'eval', [this.#source, ...call])
    }
  }
}

/**
 * What `redis.evalsha` does. A command and its closures live on until the whole heap is collected, and so would all that
 * it has sent: of a commit that is a quarter of a megabyte.
 */
async function send(redis: Redis, name: string, args: (string | number)[]): Promise<unknown> {
  const command = new Command(name, args, { replyEncoding: 'utf8' })
  try {
    return await redis.sendCommand(command)
  } finally {
    command.args = []
  }
}
