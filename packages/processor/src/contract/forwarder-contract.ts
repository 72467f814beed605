import { MillraceError } from '@millrace/event'
import { testTopic } from '@millrace/log/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Outbox } from '../outbox.ts'
import { type ForwardingLog, ForwardingScene } from './forwarding-scene.ts'
import type { GroupStoreUnderTest } from './group-fixture.ts'
import { emitted } from './parts.ts'

/** What must be true of forwarding on every log and group store. Call it in a test file of the adapter. */
export function describeForwarderContract(name: string, open: () => Promise<GroupStoreUnderTest>): void {
  describe(`forwarding on ${name}`, () => {
    let opened: GroupStoreUnderTest | undefined
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(async () => opened?.close())
    const scene = async () => {
      if (!opened) throw new Error('The log and store under test are not open')
      return ForwardingScene.open(opened)
    }
    describeWays(scene)
    describeFaults(scene)
  })
}

function describeWays(open: () => Promise<ForwardingScene>): void {
  test('what was committed arrives in the order of each key, and the outbox is empty', async () => {
    const scene = await open()
    const forwarder = scene.forwarder()
    forwarder.start()
    for (let turn = 0; turn < 20; turn++) await scene.commit(forwarder)
    await forwarder.idle()
    expect(await scene.arrived()).toEqual(scene.expected())
    expect(await scene.outbox()).toBe(0)
    expect((await scene.group.store.audit(scene.group.at)).differences).toEqual([])
    scene.end()
  })

  test('a new owner forwards what the former one left, however much, and goes on behind it', async () => {
    const scene = await open()
    for (let turn = 0; turn < 80; turn++) await scene.commit()
    const forwarder = scene.forwarder()
    forwarder.start()
    await scene.commit(forwarder)
    await forwarder.idle()
    await scene.commit(forwarder)
    await forwarder.idle()
    expect(await scene.arrived()).toEqual(scene.expected())
    scene.end()
  })

  test('a commit whose numbers are not known is read from the outbox', async () => {
    const scene = await open()
    const forwarder = scene.forwarder()
    forwarder.start()
    await scene.commit(forwarder)
    await scene.commit()
    forwarder.add(scene.group.n, [], undefined)
    await scene.commit(forwarder)
    await forwarder.idle()
    expect(await scene.arrived()).toEqual(scene.expected())
    scene.end()
  })

  test('more than the memory takes waits in the outbox', async () => {
    const scene = await open()
    const gate = Promise.withResolvers<void>()
    const log: ForwardingLog = {
      channel: (...args) => scene.log.channel(...args),
      appendChannel: async (...args) => {
        await gate.promise
        return scene.log.appendChannel(...args)
      },
    }
    const forwarder = scene.forwarder({ log, mostInMemory: 8 })
    forwarder.start()
    for (let turn = 0; turn < 30; turn++) {
      await scene.commit(forwarder)
      expect(forwarder.waiting).toBeLessThanOrEqual(8 + 50)
    }
    gate.resolve()
    await forwarder.idle()
    expect(await scene.arrived()).toEqual(scene.expected())
    expect(await scene.outbox()).toBe(0)
    scene.end()
  })
}

function describeFaults(open: () => Promise<ForwardingScene>): void {
  test('killed before or after any of its calls, its successor brings everything, once', async () => {
    for (const when of ['before', 'after'] as const)
      for (let last = 0; ; last++) {
        const scene = await open()
        const cut = new Cut(scene, when, last)
        const killed = scene.forwarder(cut)
        killed.start()
        for (let turn = 0; turn < 3; turn++) await scene.commit(killed)
        await Promise.race([cut.happened, killed.idle()])
        killed.end()
        const successor = scene.forwarder()
        successor.start()
        await scene.commit(successor)
        await successor.idle()
        expect(await scene.arrived(), `killed ${when} call ${last}`).toEqual(scene.expected())
        expect(await scene.outbox()).toBe(0)
        expect((await scene.group.store.audit(scene.group.at)).differences).toEqual([])
        scene.end()
        if (!cut.reached) break
      }
  })

  test('two at once, one of them without the lease, bring everything once', async () => {
    const scene = await open()
    const [former, present] = [scene.forwarder(), scene.forwarder()]
    former.start()
    for (let turn = 0; turn < 5; turn++) await scene.commit(former)
    present.start()
    for (let turn = 0; turn < 5; turn++) await scene.commit(present)
    await Promise.all([former.idle(), present.idle()])
    expect(await scene.arrived()).toEqual(scene.expected())
    expect(await scene.outbox()).toBe(0)
    scene.end()
  })

  test('lost answers are asked for again', async () => {
    const scene = await open()
    let calls = 0
    const lossy = async <T>(act: () => Promise<T>): Promise<T> => {
      const answer = await act()
      calls += 1
      if (calls % 2 === 0) throw new MillraceError('append.unknown')
      return answer
    }
    const forwarder = scene.forwarder({
      log: {
        channel: (...args) => scene.log.channel(...args),
        appendChannel: (...args) => lossy(() => scene.log.appendChannel(...args)),
      },
      store: {
        outbox: (...args) => lossy(() => scene.group.store.outbox(...args)),
        forwarded: (...args) => lossy(() => scene.group.store.forwarded(...args)),
      },
    })
    forwarder.start()
    for (let turn = 0; turn < 20; turn++) await scene.commit(forwarder)
    await forwarder.idle()
    // How many commits go in one call is a matter of who is faster.
    while (calls <= 10) {
      await scene.commit(forwarder)
      await forwarder.idle()
    }
    expect(await scene.arrived()).toEqual(scene.expected())
    expect(scene.failures).toEqual([])
    scene.end()
  })

  test('a target partition that does not answer holds up no other one', async () => {
    const scene = await open()
    const arrivals: number[] = []
    let arrived = Promise.withResolvers<void>()
    const forwarder = scene.forwarder({
      log: {
        channel: (...args) => scene.log.channel(...args),
        appendChannel: async (topic, batch) => {
          if (batch.partition === 0) await new Promise<never>(() => undefined)
          const answer = await scene.log.appendChannel(topic, batch)
          arrivals.push(batch.events.length)
          arrived.resolve()
          return answer
        },
      },
    })
    forwarder.start()
    for (let turn = 0; turn < 3; turn++) {
      arrived = Promise.withResolvers<void>()
      await scene.commit(forwarder)
      await arrived.promise
    }
    expect(arrivals).toHaveLength(3)
    scene.end()
    await forwarder.idle()
  })

  test('a topic that nobody names stays in the outbox, and says so', async () => {
    const scene = await open()
    const forwarder = scene.forwarder()
    forwarder.start()
    await scene.commit(undefined, testTopic({ partitions: 1 }))
    forwarder.add(scene.group.n, [], undefined)
    while (scene.failures.length === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(scene.failures).toMatchObject([{ code: 'topic.unknown' }])
    expect(await scene.outbox()).toBe(1)
    scene.end()
  })

  test('other events under our numbers are not taken for ours', async () => {
    const scene = await open()
    await scene.commit()
    const { items } = await scene.group.store.outbox(scene.group.at)
    const others = emitted(['a', 'b', 'c', 'd'], 1, scene.target)
    // What a source leaves that is set back behind a commit which was forwarded: the numbers come again.
    for (const { partition, events } of others)
      await scene.log.appendChannel(scene.target, {
        partition,
        channel: `${scene.group.topic.name}.0.readers`,
        incarnation: 1,
        first: 1,
        events,
        mark: events.at(-1)?.id ?? '',
      })
    const forwarder = scene.forwarder()
    forwarder.start()
    while (scene.failures.length < items.length) await new Promise((resolve) => setImmediate(resolve))
    expect(scene.failures).toMatchObject(items.map(() => ({ code: 'outbox.diverged' })))
    expect(await scene.outbox()).toBe(items.length)
    scene.end()
  })
}

/** A way to log and store that is cut before, or after, a call: from there on nobody hears anything any more. */
class Cut {
  readonly log: ForwardingLog
  readonly store: Outbox
  reached = false
  readonly #cut = Promise.withResolvers<void>()
  #left: number

  constructor({ log, group: { store } }: ForwardingScene, when: 'before' | 'after', calls: number) {
    this.#left = calls
    const through = async <T>(act: () => Promise<T>): Promise<T> => {
      const last = this.#left === 0
      this.#left -= 1
      if (this.reached || (last && when === 'before')) return this.#never()
      const answer = await act()
      return last ? this.#never() : answer
    }
    this.log = {
      channel: (...args) => through(() => log.channel(...args)),
      appendChannel: (...args) => through(() => log.appendChannel(...args)),
    }
    this.store = {
      outbox: (...args) => through(() => store.outbox(...args)),
      forwarded: (...args) => through(() => store.forwarded(...args)),
    }
  }

  get happened(): Promise<void> {
    return this.#cut.promise
  }

  #never(): Promise<never> {
    this.reached = true
    this.#cut.resolve()
    return new Promise(() => undefined)
  }
}
