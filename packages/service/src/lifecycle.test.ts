import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Lifecycle } from './lifecycle.ts'
import { handleProcess } from './process-signals.ts'

function journal() {
  const entries: string[] = []
  const part = (
    name: string,
    faults: { start?: Error; stop?: Error; hang?: boolean; stopTimeoutMs?: number } = {},
  ) => ({
    name,
    ...(faults.stopTimeoutMs === undefined ? {} : { stopTimeoutMs: faults.stopTimeoutMs }),
    start: async () => {
      await Promise.resolve()
      entries.push(`+${name}`)
      if (faults.start) throw faults.start
    },
    stop: async () => {
      entries.push(`-${name}`)
      if (faults.stop) throw faults.stop
      if (faults.hang === true) await new Promise(() => undefined)
    },
  })
  return { entries, part }
}

describe('Lifecycle', () => {
  it('starts in order, stops in reverse, and once only', async () => {
    const { entries, part } = journal()
    const life = new Lifecycle().add(part('a')).add(part('b')).add({ name: 'bare' }).add(part('c'))
    await Promise.all([life.start(), life.start()])
    await Promise.all([life.stop(), life.stop()])
    await life.stop()
    expect(entries).toEqual(['+a', '+b', '+c', '-c', '-b', '-a'])
  })

  it('takes down what had started when a part fails, itself included', async () => {
    const { entries, part } = journal()
    const life = new Lifecycle()
      .add(part('a'))
      .add(part('b', { start: new Error('no port') }))
      .add(part('c'))
    await expect(life.start()).rejects.toThrow('no port')
    await life.stop()
    expect(entries).toEqual(['+a', '+b', '-b', '-a'])
  })

  it('stops the others when one fails or hangs, and names all that did', async () => {
    const { entries, part } = journal()
    const life = new Lifecycle({ stopTimeoutMs: 30 })
      .add(part('a'))
      .add(part('b', { stop: new Error('broken') }))
      .add(part('c', { hang: true }))
    await life.start()
    await expect(life.stop()).rejects.toMatchObject({
      code: 'stop.failed',
      message: 'c did not stop: it took longer than 30 ms; b did not stop: broken',
    })
    expect(entries.slice(-3)).toEqual(['-c', '-b', '-a'])
  })

  it('stopped during the start lets the part in hand come up and starts no other', async () => {
    const { entries, part } = journal()
    const life = new Lifecycle()
    life.add(part('a')).add(part('b'))
    const started = life.start()
    await life.stop()
    await started
    expect(entries).toEqual(['+a', '-a'])
  })

  it('stopped during a start that fails ends both calls', async () => {
    const { entries, part } = journal()
    const life = new Lifecycle().add(part('a', { start: new Error('no port') })).add(part('b'))
    const started = life.start()
    const stopped = life.stop()
    await expect(started).rejects.toThrow('no port')
    await stopped
    expect(entries).toEqual(['+a', '-a'])
  })

  it('takes no part after the start', async () => {
    const life = new Lifecycle()
    await life.start()
    expect(() => life.add({ name: 'late' })).toThrow('late was added after the start')
  })
})

function fakeProcess() {
  const exits: number[] = []
  const left = Promise.withResolvers<number>()
  const exit = (code: number): void => {
    exits.push(code)
    left.resolve(code)
  }
  return Object.assign(new EventEmitter(), { exits, left: left.promise, exit })
}

describe('handleProcess', () => {
  const lines: string[] = []
  const log = (message: string) => void lines.push(message)
  const logger = { info: log, warn: log, error: log, fatal: log }

  it('stops gracefully on the first signal; a repeat within a second is the same Ctrl-C, a later one forces', async () => {
    const target = fakeProcess()
    const release = Promise.withResolvers<void>()
    let now = 10_000
    let stops = 0
    const stop = async (): Promise<void> => {
      stops += 1
      await release.promise
    }
    handleProcess({ logger, stop, process: target, nowMs: () => now })
    target.emit('SIGINT', 'SIGINT')
    now += 999
    target.emit('SIGINT', 'SIGINT')
    target.emit('SIGTERM', 'SIGTERM')
    expect(target.exits).toEqual([])
    now += 1
    target.emit('SIGTERM', 'SIGTERM')
    expect(target.exits).toEqual([143])
    release.resolve()
    expect(stops).toBe(1)
  })

  it('exits with 0 after a good stop and with 1 after one that failed or took too long', async () => {
    const good = fakeProcess()
    handleProcess({ logger, stop: () => Promise.resolve(), process: good })
    good.emit('SIGTERM', 'SIGTERM')
    expect(await good.left).toBe(0)
    const bad = fakeProcess()
    handleProcess({ logger, stop: () => Promise.reject(new Error('x')), process: bad })
    bad.emit('SIGTERM', 'SIGTERM')
    expect(await bad.left).toBe(1)
    const slow = fakeProcess()
    handleProcess({ logger, stop: () => new Promise(() => undefined), process: slow, stopTimeoutMs: 20 })
    slow.emit('SIGTERM', 'SIGTERM')
    expect(await slow.left).toBe(1)
  })

  it.each(['uncaughtException', 'unhandledRejection'])('exits with 1 on %s', (event) => {
    const target = fakeProcess()
    const release = handleProcess({ logger, stop: () => Promise.resolve(), process: target })
    target.emit(event, new Error('nobody caught me'))
    expect(target.exits).toEqual([1])
    release()
    expect(target.eventNames()).toEqual([])
  })
})
