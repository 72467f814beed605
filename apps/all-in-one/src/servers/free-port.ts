import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below those ports that systems hand out by themselves, for connections and to whoever asks for any port: what is free
 * now stays free until it is listened on, and while a server is away for a moment.
 */
const [first, last] = [10_240, 32_767]
const attempts = 100

let next = randomInt(first, last + 1)

/** A loopback port that nobody listens on at this moment. Somebody may take it before we do: be ready to ask again. */
export async function freePort(): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    // One after the other: who asks for many at once hardly ever meets somebody else who does so.
    const port = next
    next = port === last ? first : port + 1
    const probe = createServer()
    const listening = once(probe, 'listening')
    probe.listen(port, '127.0.0.1')
    try {
      await listening
    } catch (error) {
      if (attempt < attempts) continue
      throw error
    }
    const closed = once(probe, 'close')
    probe.close()
    await closed
    return port
  }
}
