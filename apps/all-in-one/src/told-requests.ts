import type { RequestFact } from '@millrace/processor'
import type { RedisStories } from '@millrace/redis'
import { contextStore, type Logger, type ServiceRequestMeter } from '@millrace/service'

const flushMs = 250
const mostWaiting = 2_000

/**
 * Tells the index of stories of requests that change something: after their answers, in batches. What is waiting when
 * the process is killed is lost; an event tells by itself that there was a request.
 */
export class ToldRequests {
  readonly #stories: () => Promise<RedisStories>
  readonly #logger: Logger
  #waiting: RequestFact[] = []
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> = Promise.resolve()

  constructor(stories: () => Promise<RedisStories>, logger: Logger) {
    this.#stories = stories
    this.#logger = logger
  }

  /** A meter that tells of requests as well. */
  of(service: string, meter: ServiceRequestMeter): ServiceRequestMeter {
    return {
      begin: () => meter.begin(),
      end: (method, route, status, seconds) => {
        meter.end(method, route, status, seconds)
        if (method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS')
          this.#note({ service, method, route, status, tookMs: seconds * 1_000 })
      },
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#flush()
    await this.#flushing
  }

  #note(request: Omit<RequestFact, 'atMs' | 'correlationId'>): void {
    const correlationId = contextStore.current()?.correlationId
    if (correlationId === undefined || this.#waiting.length >= mostWaiting) return
    const tookMs = Math.round(request.tookMs * 10) / 10
    this.#waiting.push({ ...request, tookMs, correlationId, atMs: Math.round(Date.now() - tookMs) })
    this.#timer ??= setTimeout(() => this.#flush(), flushMs)
  }

  #flush(): void {
    this.#timer = undefined
    const told = this.#waiting.splice(0)
    if (told.length === 0) return
    this.#flushing = this.#flushing.then(() => this.#send(told))
  }

  async #send(told: readonly RequestFact[]): Promise<void> {
    try {
      await (await this.#stories()).index.noteRequests(told)
    } catch (error) {
      // Stories lack these requests; everything else goes on.
      this.#logger.debug('Requests could not be told', { err: error, count: told.length })
    }
  }
}
