import { randomBytes } from 'node:crypto'
import { whenReady, writingConnection } from '@millrace/redis'
import { startRedis } from '../test/support/redis.ts'
import { httpLoad } from './http-load.ts'
import { type Contender, interleaved } from './measure.ts'
import { type Goal, type Report, report } from './report.ts'
import { benchToken, type ServerProcess, startBareServer, startServices } from './server-process.ts'

const connections = 64
const seconds = 3

const goals: readonly Goal[] = [
  { what: 'Uniq over HTTP ÷ Hono POST + zod doing nothing', over: ['uniq', 'nothing'], must: 0.6, aim: 0.8 },
]

/** How much of a bare HTTP server's speed is left when it claims a value and appends an event, synced every second. */
export async function benchUniq(rounds: number, progress: (line: string) => void): Promise<Report> {
  const server = await startRedis({ appendonly: true, extra: ['auto-aof-rewrite-percentage 0'] })
  const redis = writingConnection({ url: server.url, commandTimeoutMs: 60_000 })
  const started: ServerProcess[] = []
  try {
    await whenReady(redis)
    started.push(await startServices(['uniq'], server.url, 'UNIQ_PORT'), await startBareServer())
    const contenders = (['uniq', 'nothing'] as const).map((name, at): Contender => {
      const target = started[at] as ServerProcess
      const order = {
        kind: 'claims',
        token: benchToken,
        connections,
        seconds,
        port: target.port,
      } as const
      return {
        name,
        run: () =>
          httpLoad({
            ...order,
            run: randomBytes(5)
              .toString('hex')
              .replace(/^(.{4})(.{4})/, '$1-$2-8'),
          }),
        cpuMicros: () => target.cpuMicros(),
      }
    })
    return report('uniq', goals, await interleaved(contenders, rounds, redis, progress), {
      uniq: `POST /events of Uniq: claim and append of a new account, ${connections} connections`,
      nothing: 'the same request to Hono with zod, answered at once',
    })
  } finally {
    await Promise.all(started.map((one) => one.stop()))
    redis.disconnect()
    await server.stop()
  }
}
